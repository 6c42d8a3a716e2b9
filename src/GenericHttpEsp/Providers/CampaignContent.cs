using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>What a campaign brings to a provider's template. All texts may hold Liquid; null and empty mean unset.</summary>
public sealed record CampaignContent
{
    public string? Subject { get; init; }

    /// <summary>Falls back to the provider's default, as the two below.</summary>
    public string? FromName { get; init; }

    public string? FromAddress { get; init; }

    public string? ReplyToAddress { get; init; }

    public string? Cc { get; init; }

    public string? Bcc { get; init; }

    public string? Html { get; init; }

    public string? Plaintext { get; init; }

    public string? AmpHtml { get; init; }

    /// <summary>Custom placeholders without the <c>$$</c>. A string may hold Liquid; another JSON value stands as it is.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Values { get; init; }
}

/// <summary>What one run of a campaign fixes.</summary>
/// <param name="Account">Field 2 of the meta.</param>
/// <param name="Campaign">Field 3; also <c>$$CampaignID</c>.</param>
/// <param name="Run">Field 5, the number of the run.</param>
/// <param name="RunDate">Field 4: the UTC date on which the run started.</param>
/// <param name="Now">The run's start: <c>now</c> in Liquid, the same for all recipients and all restarts.</param>
/// <param name="PublicUrl">The address that recipients reach, without a trailing slash.</param>
/// <param name="Keys">Signs meta and tokens.</param>
/// <param name="Variant">Field 6.</param>
internal sealed record RunFacts(
    long Account, long Campaign, int Run, DateOnly RunDate, DateTimeOffset Now, string PublicUrl, MetaKeyRing Keys, string Variant = MessageMeta.DefaultVariant);
