using System.Collections.Frozen;
using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// How the stand-in ESP answers. Shares are parts of 1, drawn per request number from the seed, so a run can be repeated.
/// Order: script, then the shares (at most one fault a request), then what the body deserves.
/// </summary>
public sealed record SandboxBehaviour
{
    private readonly FrozenSet<string> _refused = FrozenSet<string>.Empty;

    /// <summary>Wait before each answer, after the body was judged and logged.</summary>
    [Range(0, 3_600_000)]
    public int LatencyMilliseconds { get; init; }

    /// <summary>Up to this much more, drawn per request.</summary>
    [Range(0, 3_600_000)]
    public int LatencyJitterMilliseconds { get; init; }

    /// <summary>Answered 429, nothing accepted.</summary>
    [Range(0d, 1d)]
    public double TooManyRequestsShare { get; init; }

    /// <summary>Added to 429 and 503 when set.</summary>
    [Range(0, 86_400)]
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Answered <see cref="ServerErrorStatus"/>, nothing accepted.</summary>
    [Range(0d, 1d)]
    public double ServerErrorShare { get; init; }

    [Range(500, 599)]
    public int ServerErrorStatus { get; init; } = 503;

    /// <summary>Accepted, yet answered 500.</summary>
    [Range(0d, 1d)]
    public double AcceptThen500Share { get; init; }

    /// <summary>Accepted, yet answered 502 as a proxy in front would.</summary>
    [Range(0d, 1d)]
    public double AcceptThen502Share { get; init; }

    /// <summary>Accepted, then the connection is cut without an answer.</summary>
    [Range(0d, 1d)]
    public double AcceptThenCloseShare { get; init; }

    /// <summary>A longer body is answered 413, unread when its Content-Length says so.</summary>
    [Range(1, 1L << 30)]
    public long? MaxBodyBytes { get; init; }

    /// <summary>A body with one of these (in any case) is answered 400, or by record with <see cref="RefusePartially"/>.</summary>
    public IReadOnlyList<string> RefusedAddresses
    {
        get;
        init
        {
            field = value;
            _refused = value.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        }
    } = [];

    /// <summary>Refuse only the records of refused addresses; the answer says so record by record.</summary>
    public bool RefusePartially { get; init; }

    public SandboxAnswerShape AnswerShape { get; init; }

    /// <summary>A batch key seen before answers as then and accepts nothing; with another body it is answered 409.</summary>
    public bool HonourBatchKey { get; init; }

    [Range(1, 31_536_000)]
    public int BatchKeyLifetimeSeconds { get; init; } = 86_400;

    /// <summary>Refuse a body in which <c>$$Name</c> or <c>{{</c> stands. Off for tests whose data holds such text.</summary>
    public bool RefuseLeftovers { get; init; } = true;

    /// <summary>Refuse a record whose meta names another address than its own: somebody's message went to somebody else.</summary>
    public bool RefuseForeignMeta { get; init; } = true;

    /// <summary>Answers by request number, the first being 1.</summary>
    public IReadOnlyDictionary<int, SandboxAnswer> Script { get; init; } = FrozenDictionary<int, SandboxAnswer>.Empty;

    [Required]
    public SandboxCallbackPlan Callbacks { get; init; } = new();

    internal bool RefusesAny => _refused.Count > 0;

    internal bool Refuses(string address) => _refused.Contains(address);
}

/// <summary>One scripted answer. <see cref="Status"/> is for <c>Refuse</c> (503 when unset) and <c>AcceptThenAnswer</c> (500 when unset).</summary>
public sealed record SandboxAnswer
{
    public SandboxAction Action { get; init; }

    [Range(200, 599)]
    public int? Status { get; init; }

    [Range(0, 86_400)]
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Replaces the answer's body.</summary>
    public string? Body { get; init; }
}

public enum SandboxAction
{
    /// <summary>Judge the body and answer truthfully.</summary>
    Accept,

    /// <summary>Read the body, accept nothing, answer the status.</summary>
    Refuse,

    /// <summary>Accept, but answer the status.</summary>
    AcceptThenAnswer,

    /// <summary>Accept, then cut the connection without an answer.</summary>
    AcceptThenClose,

    /// <summary>Accept, then cut the connection in the middle of a 200 answer.</summary>
    AcceptThenCutAnswer,

    /// <summary>Cut the connection without reading the body.</summary>
    CloseBeforeBody,

    /// <summary>Read the body, accept nothing, cut the connection.</summary>
    CloseAfterBody,
}

/// <summary>How a success, whole or partial, is told; after the documents of the ESPs named.</summary>
public enum SandboxAnswerShape
{
    /// <summary><c>{"results":[{"id"} or {"error"}]}</c></summary>
    Generic,

    /// <summary>Root array of <c>{"ErrorCode","Message","MessageID","To"}</c>; 0 is sent, 406 is an inactive recipient.</summary>
    Postmark,

    /// <summary><c>{"Messages":[{"Status":"success" or "error"}]}</c></summary>
    Mailjet,

    /// <summary><c>{"data":[{"id"}],"errors":[{"index","message"}]}</c></summary>
    Resend,

    /// <summary><c>{"messageIds":[...]}</c>: refused records cannot be told and are left out.</summary>
    Brevo,
}
