using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A text of the campaign behind a placeholder.</summary>
/// <param name="Source">Null when unset.</param>
/// <param name="Pointer">Into the campaign's body.</param>
/// <param name="Html">Liquid output in it is HTML-escaped.</param>
/// <param name="SingleLine">Would become a mail header at the ESP: kept free of controls.</param>
/// <param name="Required">Unset is an error instead of a blank.</param>
internal readonly record struct ContentText(string? Source, string Pointer, bool Html, bool SingleLine, bool Required);

/// <summary>Finds and parses the campaign's texts, each once.</summary>
internal sealed class ContentTexts(CampaignContent content, ProviderContract provider, TemplateProblems problems)
{
    private readonly Dictionary<string, LiquidTemplate?> _parsed = new(StringComparer.Ordinal);

    public ContentText Find(string name) => name switch
    {
        Placeholders.Subject => new(content.Subject, "/subject", false, true, true),
        Placeholders.Html => new(content.Html, "/html", true, false, true),
        Placeholders.FromName => new(Or(content.FromName, provider.DefaultFromName), "/fromName", false, true, true),
        Placeholders.FromAddress => new(Or(content.FromAddress, provider.DefaultFromAddress), "/fromAddress", false, true, true),
        Placeholders.ReplyToAddress => new(Or(content.ReplyToAddress, provider.DefaultReplyToAddress), "/replyToAddress", false, true, false),
        Placeholders.Cc => new(content.Cc, "/cc", false, true, false),
        Placeholders.Bcc => new(content.Bcc, "/bcc", false, true, false),
        Placeholders.Plaintext => new(content.Plaintext, "/plaintext", false, false, false),
        Placeholders.AmpHtml => new(content.AmpHtml, "/ampHtml", true, false, false),
        _ => new(null, "", false, false, false),
    };

    /// <summary>The value of a custom placeholder; an error when the campaign gives none.</summary>
    public JsonElement? Custom(string name)
    {
        if (content.Values is { } values && values.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Undefined)
        {
            return value;
        }
        problems.Add(PointerOf(name), $"The provider's template uses $${name}: give it a value (it may be empty).");
        return null;
    }

    public static string PointerOf(string custom) => "/values" + TemplateProblems.Step(custom);

    /// <summary>Null when unset or wrong; what is wrong is reported once.</summary>
    public LiquidTemplate? Parse(string name, ContentText text)
    {
        if (_parsed.TryGetValue(name, out var known))
        {
            return known;
        }
        if (string.IsNullOrEmpty(text.Source))
        {
            if (text.Required)
            {
                problems.Add(text.Pointer, $"The provider's template uses $${name}: it must not be empty.");
            }
            return _parsed[name] = null;
        }
        var (template, errors) = LiquidTemplate.Parse(text.Source, text.Html);
        foreach (var error in errors)
        {
            problems.Add(text.Pointer, $"Line {error.Line}, column {error.Column}: {error.Message}");
        }
        return _parsed[name] = template;
    }

    private static string? Or(string? own, string? fallback) => string.IsNullOrEmpty(own) ? fallback : own;
}
