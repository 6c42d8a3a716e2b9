namespace GenericHttpEsp.Wiring;

/// <summary>The verb and its switch, taken off before configuration sees the arguments.</summary>
/// <param name="Verb"><c>serve</c>, <c>demo</c>, <c>sandbox</c>, <c>backup</c>, <c>restored</c>, <c>health</c>, or what somebody wrote instead.</param>
/// <param name="Exit"><c>--exit</c>: the demo ends when it is done.</param>
/// <param name="Rest">The verb's own argument first, then for the configuration: <c>--Section:Key=value</c>, <c>Section:Key=value</c>.</param>
internal sealed record Verbs(string Verb, bool Exit, string[] Rest)
{
    public static Verbs Parse(string[] args)
    {
        var isVerb = args.Length > 0 && args[0].Length > 0 && args[0][0] is not ('-' or '/') && !args[0].Contains('=', StringComparison.Ordinal);
        var rest = isVerb ? args[1..] : args;
        return new Verbs(isVerb ? args[0] : "serve", rest.Contains("--exit"), [.. rest.Where(static arg => arg != "--exit")]);
    }

    public static async Task<int> RefuseAsync(string verb)
    {
        await Console.Error.WriteLineAsync($"GenericHttpEsp does not know \"{verb}\". Without a verb it serves; \"demo\" [--exit] shows a campaign; \"sandbox\" is the stand-in ESP; \"backup\" FOLDER copies the embedded databases; \"restored\" pauses what a restored database would send; \"health\" [ADDRESS] asks a server whether it is ready.");
        return 2;
    }
}
