using System.Collections.Concurrent;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Tells refusals of single records from a refusal of everything: while nothing of a run was accepted yet, it is systematic when both halves of a first
/// split are refused alike, or three single records in a row. Kept in memory: after a restart it begins anew, which costs some calls and no message.
/// </summary>
internal sealed class RefusalWatch
{
    private const int SinglesMax = 3;
    private const int RunsMax = 1000;
    private readonly ConcurrentDictionary<(long Campaign, int Run), RunRefusals> _runs = [];

    public void NoteAccepted(long campaign, int run) => Of(campaign, run).NoteAccepted();

    /// <summary>Whether this refusal shows that everything is refused.</summary>
    /// <param name="campaign">The campaign.</param>
    /// <param name="run">Its run.</param>
    /// <param name="records">In the refused request.</param>
    /// <param name="splitOfFirst">The row whose refusal made this one, if that row was not made by a refusal itself; else 0.</param>
    /// <param name="status">Of the answer.</param>
    public bool IsSystematic(long campaign, int run, int records, long splitOfFirst, int status) =>
        Of(campaign, run).IsSystematic(records, splitOfFirst, status);

    private RunRefusals Of(long campaign, int run)
    {
        if (_runs.Count > RunsMax)
        {
            _runs.Clear();
        }

        return _runs.GetOrAdd((campaign, run), static _ => new RunRefusals());
    }

    private sealed class RunRefusals
    {
        private readonly Lock _lock = new();
        private readonly HashSet<(long Parent, int Status)> _halves = [];
        private bool _accepted;
        private int _singles;

        public void NoteAccepted()
        {
            lock (_lock)
            {
                _accepted = true;
                _halves.Clear();
            }
        }

        public bool IsSystematic(int records, long splitOfFirst, int status)
        {
            lock (_lock)
            {
                if (_accepted)
                {
                    return false;
                }

                var bothHalves = splitOfFirst != 0 && !_halves.Add((splitOfFirst, status));
                var found = bothHalves || (records == 1 && ++_singles >= SinglesMax);
                if (found)
                {
                    // After the person who resumes it has mended something, the count begins anew.
                    _singles = 0;
                    _halves.Clear();
                }

                return found;
            }
        }
    }
}
