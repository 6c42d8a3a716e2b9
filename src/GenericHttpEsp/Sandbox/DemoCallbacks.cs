namespace GenericHttpEsp.Sandbox;

/// <summary>What the ESP told back between two looks, in words.</summary>
internal static class DemoCallbacks
{
    public static string Since(SandboxSummary before, SandboxHost sandbox)
    {
        var now = sandbox.Summary();
        var unprocessed = now.CallbacksUnprocessed - before.CallbacksUnprocessed;
        var accepted = now.CallbacksOk - before.CallbacksOk - unprocessed;
        var failed = now.CallbacksFailed - before.CallbacksFailed;
        return $"{DemoScreen.Number(now.CallbacksQueued - before.CallbacksQueued)} events posted: {DemoScreen.Number(accepted)} accepted, {DemoScreen.Number(unprocessed)} unprocessed"
            + (failed > 0 ? $", {DemoScreen.Number(failed)} not taken (the server answered {LastRefusal(sandbox)})" : "")
            + (now.CallbacksWaiting > 0 ? $", {DemoScreen.Number(now.CallbacksWaiting)} still waiting" : "");
    }

    private static string LastRefusal(SandboxHost sandbox) => sandbox.Entries()
        .Where(static entry => entry.Kind == SandboxEntryKind.Callback && entry.Status is not (>= 200 and < 300))
        .Select(static entry => entry.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "nothing")
        .LastOrDefault("nothing");
}
