using System.Diagnostics;
using System.Globalization;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Places at which the process can be made to end or to be paused, for tests of what it leaves behind. Armed only by the environment variable
/// <c>GHE_FAILPOINT=name:n</c> (ends the process at the n-th pass) or <c>name:n:stop</c> (SIGSTOP); an unarmed place is a branch on a constant.
/// </summary>
internal static class FailPoints
{
    public const string Variable = "GHE_FAILPOINT";

    /// <summary>A campaign starts: its work row is written, its run is not.</summary>
    public const string StartAnnounced = "start-announced";

    /// <summary>The run's audience is fixed, the campaign's state does not say so.</summary>
    public const string StartOpened = "start-opened";

    /// <summary>The state says running; no partition was told.</summary>
    public const string StartSaved = "start-saved";

    /// <summary>Fence and admit have run in a transaction that has not committed.</summary>
    public const string BeforeClaimCommit = "before-claim-commit";

    /// <summary>The claim is durable; nothing is sent.</summary>
    public const string AfterClaimCommit = "after-claim-commit";

    /// <summary>The gate is passed; no byte is out.</summary>
    public const string AtGate = "at-gate";

    /// <summary>The ESP has answered; nothing is recorded.</summary>
    public const string AfterAnswer = "after-answer";

    /// <summary>The outcome is written in a transaction that has not committed.</summary>
    public const string BeforeOutcomeCommit = "before-outcome-commit";

    /// <summary>The outcome is durable; nobody was told.</summary>
    public const string AfterOutcomeCommit = "after-outcome-commit";

    /// <summary>A batch is split and that is durable; no part of it is claimed.</summary>
    public const string AfterSplitCommit = "after-split-commit";

    /// <summary>A record is about to be rendered.</summary>
    public const string InRender = "in-render";

    /// <summary>A callback body has changed one recipient more; others of it may be missing.</summary>
    public const string AfterForbidCommit = "after-forbid-commit";

    /// <summary>A callback body has changed all its recipients; none of its events is written.</summary>
    public const string BeforeEvents = "before-events";

    /// <summary>Events and counters are written in a transaction that has not committed.</summary>
    public const string BeforeEventsCommit = "before-events-commit";

    /// <summary>Everything of a callback body is durable; its sender has no answer.</summary>
    public const string AfterEventsCommit = "after-events-commit";

    /// <summary>The state says completed; the work row is still there.</summary>
    public const string EndSaved = "end-saved";

    /// <summary>The provider's version is let go; the work row is still there.</summary>
    public const string EndUnpinned = "end-unpinned";

    private static readonly ArmedPoint? Armed = ArmedPoint.Parse(Environment.GetEnvironmentVariable(Variable));

    public static void Pass(string name)
    {
        if (Armed is not null)
        {
            Armed.Pass(name);
        }
    }

    private sealed class ArmedPoint(string name, int pass, bool stops)
    {
        private int _passes;

        public static ArmedPoint? Parse(string? text)
        {
            if (string.IsNullOrEmpty(text))
            {
                return null;
            }

            var parts = text.Split(':');
            return parts.Length is 2 or 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var pass)
                ? new ArmedPoint(parts[0], pass, parts is [_, _, "stop"])
                : throw new FormatException($"{Variable} is name:n or name:n:stop, not \"{text}\".");
        }

        public void Pass(string passed)
        {
            if (passed != name || Interlocked.Increment(ref _passes) != pass)
            {
                return;
            }

            Console.WriteLine($"Fail point {name} at pass {pass}");
            if (!stops)
            {
                Environment.FailFast($"Fail point {name}");
            }

            // Comes back when somebody continues the process: the wait is part of the pause.
            using var kill = Process.Start("kill", ["-STOP", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }
    }
}
