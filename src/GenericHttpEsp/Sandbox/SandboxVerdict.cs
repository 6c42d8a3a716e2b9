using System.Collections.Frozen;

namespace GenericHttpEsp.Sandbox;

/// <summary>What becomes of one request.</summary>
internal sealed record SandboxVerdict
{
    /// <summary>Null: cut the connection.</summary>
    public int? Status { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public bool CutAnswer { get; init; }

    /// <summary>The rest of the body is not read, so the connection cannot be used again.</summary>
    public bool BodyUnread { get; init; }

    public bool Accepts { get; init; }

    public bool Repetition { get; init; }

    public IReadOnlySet<int> Refused { get; init; } = FrozenSet<int>.Empty;

    public string? Problem { get; init; }

    public static SandboxVerdict Refusal(int status, string problem) =>
        new() { Status = status, Body = SandboxAnswers.Error(problem), Problem = problem };

    public static SandboxVerdict Cut(string why) => new() { Problem = why };
}
