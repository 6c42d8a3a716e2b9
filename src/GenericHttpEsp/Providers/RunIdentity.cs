using System.Text;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>What of meta, token and links is the same for a whole run, made once.</summary>
internal sealed class RunIdentity
{
    private readonly byte[] _runFields;
    private readonly byte[] _tokenPrefix;
    private readonly byte[] _variant;
    private readonly MetaKey _key;
    private readonly string _preferenceUrl;
    private readonly bool _systemPreferences;

    public RunIdentity(RunFacts run, PreferenceCenterContract? preferences)
    {
        _key = run.Keys.Current;
        _runFields = MessageMeta.RunFields(run.Account, run.Campaign, run.RunDate, run.Run, run.Variant);
        _tokenPrefix = MessageToken.Prefix(run.Campaign, run.Run, run.RunDate);
        _variant = MessageToken.VariantBytes(run.Variant);
        var publicUrl = run.PublicUrl.TrimEnd('/');
        UnsubscribeBase = publicUrl + "/u/";
        _systemPreferences = preferences?.Type == "system";
        _preferenceUrl = _systemPreferences ? publicUrl + "/p/" : preferences is { Type: "customUrl", Url: { } url } ? url : "";
    }

    /// <summary>The token follows.</summary>
    public string UnsubscribeBase { get; }

    /// <summary>With or without a token behind it; empty when there is no preference centre.</summary>
    public (string Url, bool TokenFollows) Preferences => (_preferenceUrl, _systemPreferences);

    public void WriteMeta(RecipientModel recipient, Utf8Buffer cleared) => MessageMeta.Write(recipient.Email, _runFields, recipient.Id, _key, cleared);

    public void WriteToken(RecipientModel recipient, Utf8Buffer output) => MessageToken.Write(_tokenPrefix, recipient.Id, _variant, _key, output);

    public string UnsubscribeUrl(RecipientModel recipient) => UnsubscribeBase + TokenOf(recipient);

    public string PreferenceUrl(RecipientModel recipient) => _systemPreferences ? _preferenceUrl + TokenOf(recipient) : _preferenceUrl;

    private string TokenOf(RecipientModel recipient)
    {
        using var buffer = new Utf8Buffer();
        WriteToken(recipient, buffer);
        return Encoding.ASCII.GetString(buffer.WrittenSpan);
    }
}
