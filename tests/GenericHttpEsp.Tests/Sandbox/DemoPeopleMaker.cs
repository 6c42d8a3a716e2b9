using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace GenericHttpEsp.Tests.Sandbox;

/// <summary>Makes the demo's ten thousand recipients as NDJSON: always the same ones, none of them real, all at domains that are reserved for examples (RFC 2606).</summary>
internal static class DemoPeopleMaker
{
    public const int Count = 10_000;
    private const int Seed = 20_261_124;
    private static readonly string[] Domains = ["example.com", "example.org", "example.net"];
    private static readonly string[] Plans = ["free", "free", "free", "basic", "basic", "gold"];
    private static readonly string[] Interests = ["tea", "coffee", "books", "cycling", "music", "garden", "chess", "travel"];
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    public static string Make()
    {
        var random = new Random(Seed);
        var lines = new StringBuilder();
        for (var number = 1; number <= Count; number++)
        {
            lines.Append(Person(number, random).ToJsonString(Readable)).Append('\n');
        }

        return lines.ToString();
    }

    private static JsonObject Person(int number, Random random)
    {
        var area = DemoNames.All[random.Next(DemoNames.All.Count)];
        var (given, givenLatin) = Pick(area.Given, random);
        var (family, familyLatin) = Pick(area.Family, random);
        var attributes = new JsonObject();
        Maybe(0.94, "name", given);
        Maybe(0.88, "fullName", $"{given} {family}");
        Maybe(0.9, "plan", Plans[random.Next(Plans.Length)]);
        Maybe(0.8, "city", area.City);
        Maybe(0.7, "age", random.Next(18, 95));
        Maybe(0.5, "vip", random.NextDouble() < 0.1);
        Maybe(0.6, "points", random.Next(0, 250_000) / 100m);
        Maybe(0.5, "since", new DateOnly(2015, 1, 1).AddDays(random.Next(4000)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        Maybe(0.4, "interests", new JsonArray([.. random.GetItems(Interests, random.Next(0, 4)).Distinct().Select(static interest => JsonValue.Create(interest))]));
        Maybe(0.85, "language", area.Language);
        var email = Address($"{Letters(givenLatin)}.{Letters(familyLatin)}", number, random);
        if (number % 50 == 0)
        {
            // One in fifty is odd.
            attributes["name"] = DemoOddities.Names[number / 50 % DemoOddities.Names.Count];
            var odd = DemoOddities.Addresses[number / 50 % DemoOddities.Addresses.Count];
            email = odd.Replace("#", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        var person = new JsonObject { ["email"] = email, ["attributes"] = attributes };
        if (random.NextDouble() < 0.8)
        {
            person["timeZone"] = area.TimeZone;
        }

        return person;

        void Maybe(double share, string name, JsonNode? value)
        {
            // Drawn whatever becomes of it, so that one more attribute does not change all that follows.
            if (random.NextDouble() < share)
            {
                attributes[name] = value;
            }
        }
    }

    private static string Address(string local, int number, Random random)
    {
        var style = random.Next(4);
        var unique = number.ToString(CultureInfo.InvariantCulture);
        return (style switch { 0 => $"{local}{unique}", 1 => $"{local}.{unique}", 2 => $"{local[0]}{local[(local.IndexOf('.', StringComparison.Ordinal) + 1)..]}{unique}", _ => $"{local}+{unique}" })
            + "@" + Domains[random.Next(Domains.Length)];
    }

    private static (string Name, string Latin) Pick(string names, Random random)
    {
        var all = names.Split(' ');
        var parts = all[random.Next(all.Length)].Split('/');
        return (parts[0], parts[^1]);
    }

    /// <summary>As somebody writes an own name into an address: without accents, in small ASCII letters.</summary>
    private static string Letters(string name)
    {
        var plain = name.ToLowerInvariant().Normalize(NormalizationForm.FormD)
            .Replace("ß", "ss", StringComparison.Ordinal).Replace("æ", "ae", StringComparison.Ordinal).Replace("þ", "th", StringComparison.Ordinal)
            .Replace("ð", "d", StringComparison.Ordinal).Replace("ł", "l", StringComparison.Ordinal).Replace("đ", "d", StringComparison.Ordinal)
            .Replace("ı", "i", StringComparison.Ordinal);
        return string.Concat(plain.Where(char.IsAsciiLetter));
    }
}
