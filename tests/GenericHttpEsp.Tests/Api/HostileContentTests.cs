using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Content;
using GenericHttpEsp.Tests.Providers;

namespace GenericHttpEsp.Tests.Api;

/// <summary>Templates that end processes, and texts that would forge headers, through the API: refused when saved or made harmless on the way.</summary>
public sealed class HostileContentTests(HostileBenches benches) : IClassFixture<HostileBenches>
{
    private static readonly string[] Forgeries =
        ["\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "\u0001", "\u000b", "\u007f", "\u0085X-Evil: 1", "\u2028X-Evil: 1", "\u2029", "\u202egnp.exe", "\u2066x\u2069", "\ufeff", "\ud83d\ude00"];

    [Fact]
    public async Task Template_ThatIsHostile_IsRefusedWhereverItIsSaved()
    {
        var (bench, failures) = (await benches.OfAsync(nameof(StorageEngine.Sqlite)), new List<string>());
        foreach (var hostile in HostileTemplateTests.Refused.Select(static row => row.Data))
        {
            foreach (var member in (string[])["html", "plaintext", "subject", "ampHtml"])
            {
                var campaign = new JsonObject { ["name"] = "x", ["providerId"] = bench.Provider, ["audience"] = new JsonObject { ["all"] = true }, ["subject"] = "x", ["html"] = "x" };
                campaign[member] = hostile;
                await NoteAsync("POST", "/v1/campaigns", campaign, $"/{member}", 413, 422);
                await NoteAsync("PUT", $"/v1/campaigns/{bench.Campaign}", campaign, $"/{member}", 413, 422);
            }

            await NoteAsync("POST", $"/v1/providers/{bench.Provider}/preview", Trial(hostile), "/html", 413, 422);
            await NoteAsync("POST", $"/v1/providers/{bench.Provider}/test", Trial(hostile), "/html", 413, 422);
            // Tags mean nothing in a provider's parameters: what is no output may be text.
            var provider = ProviderSample.Body();
            provider["parameters"]!["msgs"]![0]!["name"] = hostile;
            await NoteAsync("POST", "/v1/providers", provider, "/parameters", 201, 413, 422);

            async Task NoteAsync(string method, string path, JsonObject body, string pointer, params int[] statuses)
            {
                var reply = await bench.SendAsync(method, path, Encoding.UTF8.GetBytes(body.ToJsonString()));
                failures.AddRange(reply.WrongAt(pointer, null, statuses) is { } wrong ? [$"{method} {path} {hostile[..Math.Min(40, hostile.Length)]}: {wrong}"] : []);
            }
        }

        await bench.StandsAsync(failures);
    }

    /// <summary>Told at <c>/html</c> when it is the same for everybody, at the recipient else.</summary>
    [Fact]
    public async Task Template_ThatIsEndless_IsStoppedInAPreview()
    {
        var (bench, failures) = (await benches.OfAsync(nameof(StorageEngine.Sqlite)), new List<string>());
        foreach (var hostile in HostileTemplateTests.Limited.Select(static row => row.Data))
        {
            var reply = await bench.SendAsync("POST", $"/v1/providers/{bench.Provider}/preview", Encoding.UTF8.GetBytes(Trial(hostile).ToJsonString()));
            failures.AddRange(reply.Wrong(422) is { } wrong ? [$"{hostile[..Math.Min(60, hostile.Length)]}: {wrong}"] : []);
        }

        await bench.StandsAsync(failures);
    }

    [Fact]
    public async Task Header_ThatIsNone_IsRefusedAtItsPlace()
    {
        var (bench, failures) = (await benches.OfAsync(nameof(StorageEngine.Sqlite)), new List<string>());
        string[] names = ["", " ", "X A", "X:A", "X-A\r\nX-Evil", "X-A\n", "H\u00e4der", "X-\ud83d\ude00", "X(A)", "\"X\"", "Host", "content-length", "Transfer-Encoding", "CONNECTION", "TE",
            "Upgrade", "Expect", "Trailer", "Keep-Alive", "Proxy-Authorization", "Content-Encoding", new('x', 300)];
        foreach (var name in names)
        {
            await NoteAsync("name", name, "v");
        }

        foreach (var value in Forgeries.Concat(["\u0100", new string('x', 9000)]))
        {
            await NoteAsync("value", "X-A", $"a{value}");
        }

        await bench.StandsAsync(failures);

        async Task NoteAsync(string member, string name, string value)
        {
            var body = ProviderSample.Body();
            body["headers"] = new JsonArray(new JsonObject { ["name"] = name, ["value"] = value });
            var reply = await bench.SendAsync("POST", "/v1/providers", Encoding.UTF8.GetBytes(body.ToJsonString()));
            // U+0085 is obs-text (RFC 9110, 5.5): no line ends there on the wire.
            failures.AddRange(value.Contains('\u0085', StringComparison.Ordinal) || reply.WrongAt($"/headers/0/{member}", null, 422) is not { } wrong ? [] : [$"{member} {name}: {value}: {wrong}"]);
        }
    }

    /// <summary>Whatever campaign, provider and person say: the request has the headers of its template and no other, and what becomes a mail header is one line.</summary>
    [Fact]
    public async Task Texts_WithLineEndsAndControls_ForgeNoHeader()
    {
        await using var app = await ProviderSample.StartAsync();
        await using var esp = await RecordingServer.StartAsync();
        var failures = new List<string>();
        foreach (var forgery in Forgeries)
        {
            esp.Arrivals.Clear();
            var text = $"a{forgery}b";
            var body = ProviderSample.Body(endpoint: $"{esp.Address}/send");
            body["headers"] = new JsonArray(new JsonObject { ["name"] = "X-Campaign", ["value"] = "$$hid" });
            body["parameters"] = JsonNode.Parse(
                """{"cid":"$$hid","msgs":[{"to":"$$To","subject":"$$Subject","html":"$$HTML","from":"$$FromName","addr":"$$FromAddress","reply":"$$ReplyToAddress","cc":"$$cc","bcc":"$$bcc","name":"{{profile.name}}"}]}""");
            body["defaultReplyToAddress"] = $"reply{forgery}@example.com";
            var provider = (await app.CreateAsync(body)).Id();
            var trial = ProviderSample.Trial("a@example.com");
            foreach (var member in (string[])["subject", "fromName", "fromAddress", "cc", "bcc"])
            {
                trial[member] = text + "{{ profile.name }}";
            }

            trial["values"] = new JsonObject { ["hid"] = text };
            trial["recipients"]![0]!["attributes"]!["name"] = text;
            using var answer = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(app.Client, $"/v1/providers/{provider}/test", trial);
            var told = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            failures.AddRange((int)answer.StatusCode is 200 or 422 && answer.Headers.Contains("X-Content-Type-Options") ? [] : [$"{Shown(text)}: {(int)answer.StatusCode} {told}"]);
            failures.AddRange(esp.Arrivals.SelectMany(arrival => Forged(arrival)).Select(forged => $"{Shown(text)}: {forged}"));
            failures.AddRange(answer.IsSuccessStatusCode && esp.Arrivals.Count != 1 ? [$"{Shown(text)}: {esp.Arrivals.Count} requests, {told}"] : []);
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private static IEnumerable<string> Forged(Arrival arrival)
    {
        foreach (var header in arrival.Headers)
        {
            if (header.Key == "X-Evil" || header.Value.Any(static letter => letter < ' '))
            {
                yield return $"header {header.Key}: {Shown(header.Value)}";
            }
        }

        foreach (var (name, value) in JsonNode.Parse(arrival.Body)!["msgs"]![0]!.AsObject())
        {
            if (name is not ("html" or "name") && ((string)value!).EnumerateRunes().Any(IsForgery))
            {
                yield return $"{name} is \"{Shown((string)value!)}\"";
            }
        }
    }

    private static bool IsForgery(Rune rune) => Rune.IsControl(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || rune.Value is (>= 0x202a and <= 0x202e) or (>= 0x2066 and <= 0x2069);

    private static string Shown(string text) => string.Concat(text.Select(static letter => letter is >= ' ' and <= '~' ? $"{letter}" : $"\\u{(int)letter:x4}"));

    private static JsonObject Trial(string html)
    {
        var trial = ProviderSample.Trial("a@example.com");
        trial["html"] = html;
        return trial;
    }
}
