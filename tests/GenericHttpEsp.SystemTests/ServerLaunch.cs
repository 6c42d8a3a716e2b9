namespace GenericHttpEsp.SystemTests;

/// <summary>How the program is started.</summary>
/// <param name="Folder">Its working and data directory.</param>
/// <param name="Arguments">Verb and settings.</param>
internal sealed record ServerLaunch(string Folder, string[] Arguments)
{
    /// <summary><c>name:n</c> or <c>name:n:stop</c>; see the program's fail points.</summary>
    public string? FailPoint { get; init; }

    /// <summary>Another build, to run beside the one under test.</summary>
    public string Program { get; init; } = Path.Combine(AppContext.BaseDirectory, "GenericHttpEsp.dll");

    /// <summary>Where it listens.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:0";

    /// <summary>A command that becomes the program, as <c>ip netns exec NAME</c> does.</summary>
    public string[] Prefix { get; init; } = [];
}
