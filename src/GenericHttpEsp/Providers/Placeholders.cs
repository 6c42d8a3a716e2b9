namespace GenericHttpEsp.Providers;

/// <summary>The names after <c>$$</c> that mean something of their own; each other name is a value of the campaign.</summary>
internal static class Placeholders
{
    public const string To = "To";
    public const string Subject = "Subject";
    public const string Html = "HTML";
    public const string FromName = "FromName";
    public const string FromAddress = "FromAddress";
    public const string MessageId = "MessageID";
    public const string ReplyToAddress = "ReplyToAddress";
    public const string Cc = "cc";
    public const string Bcc = "bcc";
    public const string Plaintext = "Plaintext";
    public const string AmpHtml = "AMPHTML";
    public const string CampaignId = "CampaignID";
    public const string ListUnsubscribe = "ListUnsubscribe";
    public const string ListUnsubscribePost = "ListUnsubscribePost";
    public const string UnsubscribeUrl = "UnsubscribeURL";
    public const string PreferenceUrl = "PreferenceURL";
    public const string BatchId = "BatchID";
    public const string MessageToken = "MessageToken";

    public static readonly IReadOnlyList<string> Mandatory = [To, Subject, Html, FromName, FromAddress];

    /// <summary>Always another value for another recipient. Content (subject, HTML, ...) is only so when it names the profile: known when a campaign is bound.</summary>
    public static readonly IReadOnlySet<string> OfRecipient =
        new HashSet<string> { To, MessageId, MessageToken, UnsubscribeUrl, ListUnsubscribe, PreferenceUrl };

    private static readonly string[] Known =
    [
        To, Subject, Html, FromName, FromAddress, MessageId, ReplyToAddress, Cc, Bcc, Plaintext, AmpHtml, CampaignId,
        ListUnsubscribe, ListUnsubscribePost, UnsubscribeUrl, PreferenceUrl, BatchId, MessageToken,
    ];

    private static readonly Dictionary<string, string> BySpelling = Known.ToDictionary(name => name, StringComparer.OrdinalIgnoreCase);

    public static bool IsCustom(string name) => !BySpelling.ContainsKey(name);

    /// <summary>The known name that differs from this one only in case; null when there is none or it is spelled right.</summary>
    public static string? RightSpelling(string name) => BySpelling.TryGetValue(name, out var known) && known != name ? known : null;
}
