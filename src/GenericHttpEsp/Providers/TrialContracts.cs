using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Body of <c>preview</c> and <c>test</c>: a campaign's content, as long as a campaign takes it, and the people to render it for.</summary>
public sealed record TrialRequest
{
    [StringLength(10_000)]
    public string? Subject { get; init; }

    [StringLength(1000)]
    public string? FromName { get; init; }

    [StringLength(1000)]
    public string? FromAddress { get; init; }

    [StringLength(1000)]
    public string? ReplyToAddress { get; init; }

    [StringLength(10_000)]
    public string? Cc { get; init; }

    [StringLength(10_000)]
    public string? Bcc { get; init; }

    [StringLength(LiquidScan.CharactersMax)]
    public string? Html { get; init; }

    [StringLength(LiquidScan.CharactersMax)]
    public string? Plaintext { get; init; }

    [StringLength(LiquidScan.CharactersMax)]
    public string? AmpHtml { get; init; }

    /// <summary>Custom placeholders without the <c>$$</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Values { get; init; }

    /// <summary>1 to the provider's batch size; one without batching. Nothing is looked up: what a template needs of them stands here.</summary>
    [Required]
    public IReadOnlyList<TrialRecipient>? Recipients { get; init; }

    internal CampaignContent Content => new()
    {
        Subject = Subject,
        FromName = FromName,
        FromAddress = FromAddress,
        ReplyToAddress = ReplyToAddress,
        Cc = Cc,
        Bcc = Bcc,
        Html = Html,
        Plaintext = Plaintext,
        AmpHtml = AmpHtml,
        Values = Values,
    };
}

/// <param name="Email">The address.</param>
/// <param name="Attributes">A JSON object: what <c>profile</c> holds in Liquid.</param>
/// <param name="TimeZone">IANA name.</param>
public sealed record TrialRecipient(string? Email, JsonElement? Attributes, string? TimeZone);

/// <summary>Exactly what a campaign would send for these people, with secrets masked.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Url">With the query of a GET.</param>
/// <param name="Headers">In the order of the wire.</param>
/// <param name="Body">As text.</param>
/// <param name="BodyBase64">Its bytes, when they are no UTF-8.</param>
/// <param name="Curl">For a POSIX shell; put the secrets in where there are stars.</param>
/// <param name="Warnings">Of the provider's template, and of this request.</param>
/// <param name="Skipped">Who is not in it, and why.</param>
public sealed record PreviewAnswer(
    string Method,
    string Url,
    IReadOnlyList<PreviewHeader> Headers,
    string Body,
    string? BodyBase64,
    string Curl,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<TrialSkipped> Skipped);

public sealed record PreviewHeader(string Name, string Value);

/// <param name="Index">Position in <c>recipients</c>.</param>
/// <param name="Email">The address given.</param>
/// <param name="Reason">Why the message could not be rendered.</param>
public sealed record TrialSkipped(int Index, string Email, string Reason);

/// <summary>What the ESP said to a test message.</summary>
/// <param name="Sent">Whether the whole request was handed over.</param>
/// <param name="Status">Null when no answer came.</param>
/// <param name="Answer">The first 64 KB of the answer's body as text, with our secrets masked.</param>
/// <param name="Took">Milliseconds.</param>
/// <param name="Failure">Why there is no answer.</param>
/// <param name="Skipped">Who was not in it, and why.</param>
public sealed record TestSendAnswer(bool Sent, int? Status, string? Answer, double Took, string? Failure, IReadOnlyList<TrialSkipped> Skipped);
