namespace GenericHttpEsp.Sandbox;

/// <summary>The sums. An address or message id taken twice is what the tests of the sender look for.</summary>
public sealed record SandboxSummary
{
    public long Requests { get; init; }

    public long OpenRequests { get; init; }

    public long MessagesAccepted { get; init; }

    public long DistinctAddresses { get; init; }

    /// <summary>Addresses taken more than once, in any campaign: how many there are, and some with their counts.</summary>
    public long RepeatedAddresses { get; init; }

    public IReadOnlyDictionary<string, int> RepeatedAddressCounts { get; init; } = new Dictionary<string, int>();

    /// <summary>Message ids taken more than once: the same message of the same run went out twice.</summary>
    public long RepeatedMessageIds { get; init; }

    public IReadOnlyDictionary<string, int> RepeatedMessageIdCounts { get; init; } = new Dictionary<string, int>();

    /// <summary>Addresses and message ids beyond the bound, of which no repetition is known. 0 or the two figures above are not whole.</summary>
    public long NotTracked { get; init; }

    /// <summary>Requests refused for what they are: broken bodies, no address, 405, 413, a refused address, another body under a batch key.</summary>
    public long RequestsRefused { get; init; }

    /// <summary>Requests turned away by behaviour (429, 5xx, cut), whatever they are.</summary>
    public long RequestsTurnedAway { get; init; }

    public long MessagesRefused { get; init; }

    /// <summary>Requests answered from their batch key.</summary>
    public long Repetitions { get; init; }

    /// <summary>The first problems seen, also of requests turned away. Empty after a run in which every body was right.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Log entries no longer in memory.</summary>
    public long EntriesForgotten { get; init; }

    public long CallbacksQueued { get; init; }

    /// <summary>Attempts to post a body.</summary>
    public long CallbackRequests { get; init; }

    public long CallbacksOk { get; init; }

    public long CallbacksFailed { get; init; }

    public long CallbacksDropped { get; init; }

    /// <summary>Events that the receiver answered as not processed.</summary>
    public long CallbacksUnprocessed { get; init; }

    public long CallbacksWaiting { get; init; }
}

/// <summary>Counts what is accepted; each method is called before the <c>end</c> entry, so a summary read after an answer includes it.</summary>
internal sealed class SandboxTally(SandboxOptions options)
{
    private readonly Lock _lock = new();
    private readonly SandboxRepetitions _addresses = new(options.TrackedMax, StringComparer.OrdinalIgnoreCase);
    private readonly SandboxRepetitions _messageIds = new(options.TrackedMax, StringComparer.Ordinal);
    private readonly List<string> _problems = [];
    private long _accepted;
    private long _refused;
    private long _turnedAway;
    private long _messagesRefused;
    private long _repetitions;

    public void Accept(SandboxRecords records, IReadOnlySet<int> refused)
    {
        lock (_lock)
        {
            _accepted += records.Count - refused.Count;
            _messagesRefused += refused.Count;
            for (var at = 0; options.KeepAddresses && at < records.Addresses.Count; at++)
            {
                if (!refused.Contains(at))
                {
                    _addresses.Add(records.Addresses[at]);
                    _messageIds.Add(records.MessageIds[at]);
                }
            }
        }
    }

    public void Repeat()
    {
        lock (_lock)
        {
            _repetitions++;
        }
    }

    public void Refuse(bool byBehaviour, int records)
    {
        lock (_lock)
        {
            (_turnedAway, _refused) = byBehaviour ? (_turnedAway + 1, _refused) : (_turnedAway, _refused + 1);
            _messagesRefused += byBehaviour ? 0 : records;
        }
    }

    public void Note(string problem)
    {
        lock (_lock)
        {
            if (_problems.Count < options.SummaryListMax)
            {
                _problems.Add(problem);
            }
        }
    }

    public SandboxSummary Summary()
    {
        lock (_lock)
        {
            return new SandboxSummary
            {
                MessagesAccepted = _accepted,
                DistinctAddresses = _addresses.Distinct,
                RepeatedAddresses = _addresses.Repeated,
                RepeatedAddressCounts = _addresses.Some(options.SummaryListMax),
                RepeatedMessageIds = _messageIds.Repeated,
                RepeatedMessageIdCounts = _messageIds.Some(options.SummaryListMax),
                NotTracked = _addresses.NotTracked + _messageIds.NotTracked,
                RequestsRefused = _refused,
                RequestsTurnedAway = _turnedAway,
                MessagesRefused = _messagesRefused,
                Repetitions = _repetitions,
                Problems = [.. _problems],
            };
        }
    }
}
