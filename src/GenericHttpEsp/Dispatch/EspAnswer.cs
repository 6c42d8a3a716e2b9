namespace GenericHttpEsp.Dispatch;

/// <summary>How far a request came.</summary>
internal enum EspAnswerKind
{
    /// <summary>The ESP cannot have the whole request: no bytes were asked for, or fewer were handed over than announced.</summary>
    NotSent,

    /// <summary>The send window ended before the first byte: nothing is on the wire.</summary>
    GateMissed,

    /// <summary>All bytes were handed over and no status came back.</summary>
    NoAnswer,

    /// <summary>A status came.</summary>
    Answered,
}

/// <summary>What one request brought.</summary>
internal sealed record EspAnswer(EspAnswerKind Kind)
{
    /// <summary>The HTTP status; 0 unless answered.</summary>
    public int Status { get; init; }

    /// <summary>The answer's own wish; null when absent or unreadable, never negative.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The answer's body as it came, at most <c>Dispatch:AnswerBytesMax</c>.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The body is longer than the maximum, or broke off, or did not end in time.</summary>
    public bool BodyTruncated { get; init; }

    /// <summary>Bytes of our content that were given to the socket.</summary>
    public long BytesHandedOver { get; init; }

    public TimeSpan Took { get; init; }

    /// <summary>One line for people: no address, no content.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Nothing reads the request's segments any more: pooled buffers may go back.</summary>
    public bool BodyReleased { get; init; }
}
