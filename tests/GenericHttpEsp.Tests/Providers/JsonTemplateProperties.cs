using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Xunit;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>Any JSON template with any values: valid JSON whose fields read back as the values, by System.Text.Json and a naive model of substitution.</summary>
public sealed class JsonTemplateProperties
{
    [Property(MaxTest = 300)]
    public void Body_AnyTemplateAndValues_ReadsBack(int seed, NonNull<string>[] texts)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var prototype = values.Node(0);
        var parameters = new JsonObject { ["body"] = prototype.Template, ["all"] = ModelValues.Mandatory() };
        var request = Request(Bind(Provider(parameters.ToJsonString()), values.Campaign), values.Recipient);
        Assert.True(JsonNode.DeepEquals(prototype.Expected, JsonNode.Parse(request.Bytes())!["body"]), $"{parameters.ToJsonString()}\n{Encoding.UTF8.GetString(request.Bytes())}");
    }

    [Property(MaxTest = 100)]
    public void Body_AnyBatch_HoldsEachRecordOnce(int seed, NonNull<string>[] texts, PositiveInt count)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var prototype = values.Node(0);
        var record = new JsonObject { ["body"] = prototype.Template, ["all"] = ModelValues.Mandatory() };
        var parameters = new JsonObject { ["a"] = "$$CampaignID", ["records"] = new JsonArray(record), ["z"] = new JsonArray() };
        var recipients = Enumerable.Repeat(values.Recipient, 1 + (count.Get % 20)).ToArray();
        var items = JsonNode.Parse(Request(Bind(Provider(parameters.ToJsonString(), new("records", 100, null, null)), values.Campaign), recipients).Bytes())!["records"]!.AsArray();
        Assert.Equal(recipients.Length, items.Count);
        Assert.All(items, item => Assert.True(JsonNode.DeepEquals(prototype.Expected, item!["body"])));
    }

    /// <summary>Builds a template and what it must become, side by side.</summary>
    private sealed class ModelValues
    {
        private readonly Random _random;
        private readonly string[] _texts;
        private readonly string _address;

        public ModelValues(int seed, string[] texts)
        {
            (_random, _texts) = (new(seed), [.. texts.Select(Whole), "$$HTML {{ x }} $$$$", "\"\\\r\n\u0001\u2028</script>"]);
            _address = $"\"{AnyText().ReplaceLineEndings("")}|\"@example.com";
            _address = string.Concat(_address.Where(letter => !char.IsControl(letter) && !Cleaned.Contains(letter)));
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
                case 3 or 4: return Text();
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
                var key = AnyText();
                var item = Node(depth + 1);
                template[key] = item.Template;
                expected[key] = item.Expected;
            }
            return (template, expected);
        }

        private (JsonNode, JsonNode) Text()
        {
            var (template, expected) = (new StringBuilder(), new StringBuilder());
            for (var count = _random.Next(5); count > 0; count--)
            {
                var literal = AnyText().Replace("$", "", StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal);
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
            return (JsonValue.Create(template.ToString()), JsonValue.Create(expected.ToString()));
        }

        private string AnyText() => _texts[_random.Next(_texts.Length)];

        private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

        private static string Line(string text) => string.Concat(text.Select(letter => letter < ' ' || Cleaned.Contains(letter) ? ' ' : letter));
    }
}
