using System.Globalization;
using GenericHttpEsp.Content;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;

namespace GenericHttpEsp.Callbacks;

/// <summary>
/// What is believed of an event. A signed meta proves message and address. An unsigned one is set aside for a person, unless the provider accepts such: then
/// account, run and recipient must name a message of ours, and a differing address is taken for a forwarded one. Version 1 events are treated alike, but
/// belong to no message: they can forbid sending to a known recipient, and a soft bounce does nothing.
/// </summary>
internal static class CallbackRules
{
    private const long TestCampaign = 0;

    public static (JudgedEvent? Event, string? Error) Judge(CallbackEvent source, MetaKeyRing keys, long account)
    {
        if (source.Error is { } unreadable)
        {
            return (null, unreadable);
        }

        if (EventTypes.Find(source.Type!) is not { } type)
        {
            return (null, $"type is not one of {string.Join(", ", EventTypes.Names)}");
        }

        if (!source.IsVersion1 && EventTypes.Group(type) != source.Group)
        {
            return (null, EventTypes.Groups.Contains(source.Group)
                ? $"type {source.Type} belongs to the group {EventTypes.Group(type)}"
                : $"the group is not one of {string.Join(", ", EventTypes.Groups)}");
        }

        return EmailAddress.Parse(source.Email, out var reason) is not { } email ? (null, $"email: {reason}")
            : source.IsVersion1 ? (new JudgedEvent(source, type, email, null, default, MessageProof.None), null)
            : source.Meta!.Contains('|', StringComparison.Ordinal) ? JudgeMeta(source, type, email, keys, account)
            : JudgeToken(source, type, email, keys);
    }

    /// <param name="believe">The provider accepts unsigned metas, or a person replays.</param>
    public static Verdict Decide(JudgedEvent one, CallbackFacts facts, bool believe, long providerId)
    {
        switch (one.Proof)
        {
            case MessageProof.SignedMeta:
                return one.IsMismatch
                    ? Verdict.Refuse("email is not the address in the signed meta")
                    : Process(one, facts.KeyOf(one.Email), signed: true, providerId);
            case MessageProof.Token:
                // Of an erased recipient nothing tells the address: the event counts and changes no subscription.
                var owner = facts.KeyOf(one.Message.Recipient);
                return owner is not null && !owner.AsSpan().SequenceEqual(facts.KeyOf(one.Email))
                    ? Verdict.Refuse("email is not the address of the message")
                    : Process(one, owner, signed: true, providerId);
            case MessageProof.UnsignedMeta when believe:
                return facts.IsOurs(one.Message)
                    ? Process(one, facts.KeyOf(one.Message.Recipient), signed: false, providerId)
                    : Verdict.Refuse("meta names no message of ours");
            case MessageProof.None when believe:
                return !IsForbidding(one.Type) ? Verdict.Refuse("a soft bounce of version 1 names no message that it could be counted for")
                    : facts.IsKnown(one.Email) ? new Verdict(one, null, null, facts.KeyOf(one.Email), IsQuarantined: false)
                    : Verdict.Refuse("email is no recipient of ours");
            default:
                return facts.IsQuarantineFull
                    ? Verdict.Refuse("meta is not signed, and no more such events are kept for this provider")
                    : new Verdict(one, "quarantined: meta is not signed; a person can replay it", null, null, IsQuarantined: true);
        }
    }

    public static bool IsForbidding(EventType type) => type is EventType.HardBounce or EventType.Spam or EventType.Unsubscribed;

    public static ForbidCause CauseOf(EventType type) => type switch
    {
        EventType.HardBounce => ForbidCause.HardBounce,
        EventType.Spam => ForbidCause.Spam,
        _ => ForbidCause.Unsubscribed,
    };

    private static Verdict Process(JudgedEvent one, byte[]? key, bool signed, long providerId) => new(
        one,
        null,
        EventRow.Of(one.Message, one.Type, one.Source.Timestamp, EventText.Of(one.Source.Description), signed, providerId),
        IsForbidding(one.Type) ? key : null,
        IsQuarantined: false);

    private static (JudgedEvent?, string?) JudgeMeta(CallbackEvent source, EventType type, EmailAddress email, MetaKeyRing keys, long account)
    {
        if (MessageMeta.Parse(source.Meta!, keys) is not var (meta, signature))
        {
            return (null, "meta is not what was sent: eight fields parted by |");
        }

        return signature == MetaSignature.Forged ? (null, "meta has a wrong signature")
            : meta.Account != account ? (null, "meta is another account's")
            : meta.Campaign == TestCampaign ? (null, "meta is a test message's: there is nothing to record")
            : EmailAddress.Parse(meta.Email, out _) is not { } address ? (null, "meta holds no address")
            : (new JudgedEvent(
                source, type, email, address, Message(meta.RunDate, meta.Campaign, meta.Run, meta.Recipient),
                signature == MetaSignature.Valid ? MessageProof.SignedMeta : MessageProof.UnsignedMeta), null);
    }

    private static (JudgedEvent?, string?) JudgeToken(CallbackEvent source, EventType type, EmailAddress email, MetaKeyRing keys) =>
        MessageToken.Parse(source.Meta!, keys) is not { } token ? (null, "meta is neither a meta nor a token of ours")
        : token.Campaign == TestCampaign ? (null, "meta is a test message's: there is nothing to record")
        : (new JudgedEvent(source, type, email, null, Message(token.RunDate, token.Campaign, token.Run, token.Recipient), MessageProof.Token), null);

    private static MessageId Message(DateOnly date, long campaign, int run, long recipient) =>
        new(long.Parse(date.ToString("yyyyMMdd", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), campaign, run, recipient);
}
