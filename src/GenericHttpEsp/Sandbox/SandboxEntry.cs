using System.Text.Json.Serialization;

namespace GenericHttpEsp.Sandbox;

public enum SandboxEntryKind
{
    /// <summary>The head of a request is here; no byte of its body was read.</summary>
    Head,

    /// <summary>The body was judged; what is accepted is accepted from here on.</summary>
    End,

    /// <summary>The whole answer was handed to the connection.</summary>
    Answered,

    /// <summary>The request ended without an answer, by behaviour or because the sender went away.</summary>
    Aborted,

    /// <summary>One attempt to post a callback body.</summary>
    Callback,
}

/// <summary>One line of the log. Lines are totally ordered by <see cref="Sequence"/>; what happened first has the lower number.</summary>
public sealed record SandboxEntry(SandboxEntryKind Kind, long Request)
{
    public long Sequence { get; init; }

    /// <summary>The machine's monotonic clock, so comparable with that of other processes on it.</summary>
    public long MonotonicMicroseconds { get; init; }

    public DateTimeOffset At { get; init; }

    public string? Method { get; init; }

    public string? Path { get; init; }

    /// <summary>The status decided; none when the connection is to be cut. For callbacks: the receiver's status.</summary>
    public int? Status { get; init; }

    public long? BodyBytes { get; init; }

    /// <summary>Records found in the body, accepted or not.</summary>
    public int? Records { get; init; }

    public int? Accepted { get; init; }

    /// <summary>Addresses of all records in order, accepted or not: what matters may be that an address was in a request at all.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>Parallel to <see cref="Addresses"/>.</summary>
    public IReadOnlyList<string?>? MessageIds { get; init; }

    /// <summary>Positions of the records refused while others were accepted.</summary>
    public IReadOnlyList<int>? RefusedRecords { get; init; }

    public string? BatchKey { get; init; }

    /// <summary>The batch key was honoured: answered as the first time, nothing accepted again.</summary>
    public bool? Repetition { get; init; }

    /// <summary>What is wrong with the body, or why there was no answer.</summary>
    public string? Problem { get; init; }

    /// <summary>Callbacks: events in the body, attempt number, and how many the receiver said it did not process.</summary>
    public int? Events { get; init; }

    public int? Attempt { get; init; }

    public int? Unprocessed { get; init; }

    /// <summary>Addresses that this request made the ESP take.</summary>
    [JsonIgnore]
    public IEnumerable<string> AcceptedAddresses => AcceptedOf(Addresses);

    /// <summary>Message ids likewise; null for a record without one.</summary>
    [JsonIgnore]
    public IEnumerable<string?> AcceptedMessageIds => AcceptedOf(MessageIds);

    private IEnumerable<T> AcceptedOf<T>(IReadOnlyList<T>? all)
    {
        if (Accepted is null or 0 || all is null)
        {
            return [];
        }

        return RefusedRecords is null ? all : all.Where((_, at) => !RefusedRecords.Contains(at));
    }
}
