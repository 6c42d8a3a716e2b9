using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;

namespace GenericHttpEsp.Callbacks;

/// <summary>How an event names its message, and so how far it is believed.</summary>
internal enum MessageProof
{
    /// <summary>A meta with our MAC: message and address are proved.</summary>
    SignedMeta,

    /// <summary>A token with our MAC: the message is proved, the address must be the one of its recipient.</summary>
    Token,

    /// <summary>A meta without a MAC: believed only where the provider says so, or a person.</summary>
    UnsignedMeta,

    /// <summary>Version 1: no message at all.</summary>
    None,
}

/// <summary>An event that can be read; what it says may still be wrong.</summary>
/// <param name="MetaAddress">The address in the meta; null in tokens and version 1.</param>
internal sealed record JudgedEvent(
    CallbackEvent Source, EventType Type, EmailAddress Email, EmailAddress? MetaAddress, MessageId Message, MessageProof Proof)
{
    /// <summary>Tells copies of one event from others, for the recipient's grain.</summary>
    public string MessageKey => Proof == MessageProof.None ? "v1" : $"{Message.Campaign}.{Message.Run}.{Message.Recipient}";

    public bool IsMismatch => MetaAddress is not null && MetaAddress.Normalised != Email.Normalised;
}

/// <summary>What is done with an event.</summary>
/// <param name="Error">Why it is not processed; null when it is.</param>
/// <param name="Row">To be recorded; null for version 1 events, which belong to no message.</param>
/// <param name="Key">Whose subscription it changes; null when it changes none.</param>
internal sealed record Verdict(JudgedEvent? Event, string? Error, EventRow? Row, byte[]? Key, bool IsQuarantined)
{
    public static Verdict Refuse(string error) => new(null, error, null, null, IsQuarantined: false);
}
