using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>Builds a template and what it must become, side by side.</summary>
internal sealed class ModelValues
{
    private readonly Random _random;
    private readonly string[] _texts;
    private readonly string _address;

    public ModelValues(int seed, string[] texts)
    {
        (_random, _texts) = (new(seed), [.. texts, "$$HTML {{ x }} $$$$", "\"\\\r\n\u0001\u2028</script>", "a=b&c+d%20;]]>'\t\0\ud800x\ufffe", "\U0001f600é"]);
        _address = $"\"{AnyText().ReplaceLineEndings("")}|\"@example.com";
        _address = string.Concat(Whole(_address).Where(letter => !char.IsControl(letter) && !Cleaned.Contains(letter)));
        (Name, Body, Custom) = (AnyText(), AnyText(), AnyText());
        Recipient = RecipientModel.FromValues(5, _address, new Dictionary<string, object?> { ["name"] = Name, ["body"] = Body, ["custom"] = Custom });
    }

    public RecipientModel Recipient { get; }

    public CampaignContent Campaign { get; } = new()
    {
        Subject = "{{ profile.name }}",
        FromName = "Från \"Acme\"",
        FromAddress = "a@b.c",
        Html = "<p class=\"x\">{{ profile.body | raw }}</p>\n",
        Plaintext = "{{ profile.body }}",
        Values = new Dictionary<string, JsonElement>
        {
            ["text"] = JsonSerializer.SerializeToElement("{{ profile.custom }}"),
            ["number"] = JsonSerializer.SerializeToElement(12.50m),
            ["nested"] = JsonSerializer.SerializeToElement(new { a = "$$To" }),
        },
    };

    private const string Cleaned = "\u007f\u0085\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069";

    /// <summary>What a template may hold of a text by its own rules.</summary>
    public Func<string, string> Literal { get; init; } = Whole;

    private string Name { get; }
    private string Body { get; }
    private string Custom { get; }

    public static JsonArray Mandatory() => new("$$To", "$$Subject", "$$HTML", "$$FromName", "$$FromAddress", "$$MessageID");

    public (JsonNode? Template, JsonNode? Expected) Node(int depth)
    {
        switch (_random.Next(depth > 4 ? 5 : 8))
        {
            case 0: return (JsonValue.Create(_texts.Length), JsonValue.Create(_texts.Length));
            case 1: return (null, null);
            case 2: return _random.Next(2) == 0 ? (JsonValue.Create("$$number"), JsonNode.Parse("12.50")) : (JsonValue.Create("$$nested"), JsonNode.Parse("""{"a":"$$To"}"""));
            case 3 or 4: return Text() is var (template, expected) ? (JsonValue.Create(template), JsonValue.Create(expected)) : default;
            case 5: return Array(depth);
            default: return Object(depth);
        }
    }

    private (JsonNode, JsonNode) Array(int depth)
    {
        var (template, expected) = (new JsonArray(), new JsonArray());
        for (var count = _random.Next(4); count > 0; count--)
        {
            var item = Node(depth + 1);
            template.Add(item.Template);
            expected.Add(item.Expected);
        }
        return (template, expected);
    }

    private (JsonNode, JsonNode) Object(int depth)
    {
        var (template, expected) = (new JsonObject(), new JsonObject());
        for (var count = _random.Next(4); count > 0; count--)
        {
            var key = Whole(AnyText());
            var item = Node(depth + 1);
            template[key] = item.Template;
            expected[key] = item.Expected;
        }
        return (template, expected);
    }

    /// <summary>Literals, placeholders and Liquid side by side, and what they must become.</summary>
    public (string Template, string Expected) Text()
    {
        var (template, expected) = (new StringBuilder(), new StringBuilder());
        for (var count = _random.Next(5); count > 0; count--)
        {
            var literal = Literal(AnyText()).Replace("$", "", StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal);
            var (source, value) = ((string, string))(_random.Next(10) switch
            {
                0 => ("$$To ", _address + " "),
                1 => ("$$Subject.", Line(Name) + "."),
                2 => ("$$HTML-", $"<p class=\"x\">{Body}</p>\n-"),
                3 => ("$$Plaintext,", Body + ","),
                4 => ("$$text;", Custom + ";"),
                5 => ("$$number;", "12.50;"),
                6 => ("$$$$", "$$"),
                7 => ("{{ profile.custom }}", Custom),
                8 => ("$$FromName\"", "Från \"Acme\"\""),
                _ => ("#" + literal, "#" + literal),
            });
            template.Append(source);
            expected.Append(value);
        }
        return (template.ToString(), Whole(expected.ToString()));
    }

    public string AnyText() => _texts[_random.Next(_texts.Length)];

    /// <summary>Half surrogate pairs are no characters.</summary>
    public static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Line(string text) => string.Concat(text.Select(letter => letter < ' ' || Cleaned.Contains(letter) ? ' ' : letter));
}
