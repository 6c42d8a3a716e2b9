using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Tests.Providers;

public sealed class TrialTests
{
    [Fact]
    public async Task Preview_OfABatch_IsWhatTheTestSends()
    {
        await using var app = await ProviderSample.StartAsync();
        await using var esp = await RecordingServer.StartAsync();
        var body = ProviderSample.Basic("planted-password");
        body["endpoint"] = $"{esp.Address}/a/../send?x=[1]&y=%20";
        var path = $"/v1/providers/{(await app.CreateAsync(body)).Id()}";
        var trial = ProviderSample.Trial("o'neil@example.com", "käse@example.com");

        var preview = await app.PostAsync($"{path}/preview", trial);
        var sent = await app.PostAsync($"{path}/test", trial);

        var arrival = Assert.Single(esp.Arrivals);
        Assert.Equal((true, 200), ((bool)sent["sent"]!, (int)sent["status"]!));
        Assert.StartsWith("thanks, ", (string)sent["answer"]!);
        Assert.True((double)sent["took"]! > 0);
        Assert.Equal(Encoding.UTF8.GetBytes((string)preview["body"]!), arrival.Body);
        Assert.Equal(((string)preview["method"]!, (string)preview["url"]!), (arrival.Method, arrival.Url));
        AssertHeaders(preview, arrival);
        var records = JsonNode.Parse(arrival.Body)!["msgs"]!.AsArray();
        Assert.Equal(("o'neil@example.com", "O'Neil 1 \"q\""), ((string)records[0]!["to"]!, (string)records[1]!["name"]!));
        Assert.Contains("|0|", (string)records[0]!["mid"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    [InlineData("gzip")]
    public async Task Curl_WithItsSecretsFilledIn_SendsTheSameBytes(string method)
    {
        await using var app = await ProviderSample.StartAsync();
        await using var esp = await RecordingServer.StartAsync();
        var body = method == "GET" ? Get($"{esp.Address}/send") : ProviderSample.Body(endpoint: $"{esp.Address}/send");
        body["compression"] = method == "gzip" ? "gzip" : "none";
        body["headers"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "X-Name", ["value"] = "it's \"$$hid\" ü" });
        body["headers"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "X-Empty", ["value"] = "" });
        var path = $"/v1/providers/{(await app.CreateAsync(body)).Id()}";
        var trial = ProviderSample.Trial("o'neil@example.com");
        var preview = await app.PostAsync($"{path}/preview", trial);
        await app.PostAsync($"{path}/test", trial);

        var curl = (string)preview["curl"]!;
        Assert.DoesNotContain(ProviderSample.ApiKey, curl, StringComparison.Ordinal);
        await RunAsync(curl.Replace("****abcd", ProviderSample.ApiKey, StringComparison.Ordinal));

        Assert.Equal(2, esp.Arrivals.Count);
        var (ours, theirs) = (esp.Arrivals.First(), esp.Arrivals.Last());
        Assert.Equal((ours.Method, ours.Url), (theirs.Method, theirs.Url));
        Assert.Equal(Unpacked(ours), Unpacked(theirs));
        foreach (var name in preview["headers"]!.AsArray().Select(header => (string)header!["name"]!))
        {
            Assert.Equal(ours.Headers[name], theirs.Headers[name]);
        }
    }

    [Fact]
    public async Task Curl_OfABodyLongerThanAnArgumentMayBe_StillWorks()
    {
        await using var esp = await RecordingServer.StartAsync();
        var text = "@'" + new string('x', 300_000) + "\n\\n%s";
        await RunAsync(CurlCommand.Of("POST", new Uri(esp.Address), [new("Content-Type", "text/plain")], text));
        Assert.Equal(text, Encoding.UTF8.GetString(esp.Arrivals.Single().Body));
    }

    [Fact]
    public async Task Preview_WithWrongContent_NamesEveryPlaceAtOnce()
    {
        await using var app = await ProviderSample.StartAsync();
        var path = $"/v1/providers/{(await app.CreateAsync()).Id()}/preview";
        var trial = ProviderSample.Trial("a@example.com", "no address", "b@example.com", "c@example.com");
        trial["subject"] = "{{ unclosed";
        trial["html"] = "";
        trial["values"]!["hid"] = "{{ profile.name }}";
        var problem = await app.PostAsync(path, trial, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["/html", "/recipients", "/recipients/1/email", "/subject", "/values/hid"], problem.Pointers());
        await app.PostAsync(path, ProviderSample.Trial(), HttpStatusCode.UnprocessableEntity);
        await app.PostAsync(path, [], HttpStatusCode.UnprocessableEntity);
        await app.PostAsync("/v1/providers/99/preview", ProviderSample.Trial("a@example.com"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Preview_WhereOneCannotBeRendered_ShowsTheOthersAndTheReason()
    {
        await using var app = await ProviderSample.StartAsync();
        var path = $"/v1/providers/{(await app.CreateAsync()).Id()}/preview";
        var trial = ProviderSample.Trial("a@example.com", "b@example.com");
        trial["html"] = "{{ 10 | divided_by: profile.n }}";
        trial["recipients"]![0]!["attributes"]!["n"] = 0;
        trial["recipients"]![1]!["attributes"]!["n"] = 2;
        var preview = await app.PostAsync(path, trial);
        Assert.Equal(0, (int)Assert.Single(preview["skipped"]!.AsArray())!["index"]!);
        Assert.Equal("b@example.com", (string)Assert.Single(JsonNode.Parse((string)preview["body"]!)!["msgs"]!.AsArray())!["to"]!);
        trial["recipients"]!.AsArray().RemoveAt(1);
        Assert.Equal(["/recipients/0"], (await app.PostAsync(path, trial, HttpStatusCode.UnprocessableEntity)).Pointers());
    }

    [Fact]
    public async Task Preview_RightAfterAChange_ShowsIt()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var path = $"/v1/providers/{made.Id()}/preview";
        await app.PostAsync(path, ProviderSample.Trial("a@example.com"));
        made["defaultFromName"] = "Changed just now";
        await app.PutAsync(made.Id(), made);
        Assert.Contains("Changed just now", (string)(await app.PostAsync(path, ProviderSample.Trial("a@example.com")))["body"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Test_ToAnEndpointThatIsNotThere_SaysWhy()
    {
        await using var app = await ProviderSample.StartAsync();
        var esp = await RecordingServer.StartAsync();
        var path = $"/v1/providers/{(await app.CreateAsync(ProviderSample.Body(endpoint: $"{esp.Address}/send"))).Id()}/test";
        await esp.DisposeAsync();
        var answer = await app.PostAsync(path, ProviderSample.Trial("a@example.com"));
        Assert.False((bool)answer["sent"]!);
        Assert.True(answer["status"] is null && ((string)answer["failure"]!).Length > 0);
    }

    [Theory]
    [InlineData("form")]
    [InlineData("xml")]
    [InlineData("text")]
    [InlineData("GET")]
    [InlineData("gzip")]
    public async Task Preview_OfAFormat_IsWhatTheTestSends(string format)
    {
        await using var app = await ProviderSample.StartAsync();
        await using var esp = await RecordingServer.StartAsync();
        var body = Get($"{esp.Address}/send?a=1");
        body["requestType"] = format == "GET" ? "GET" : "POST";
        body["bodyFormat"] = format is "GET" or "gzip" ? "json" : format;
        body["compression"] = format == "gzip" ? "gzip" : "none";
        body["parameters"]!["html"] = "$$HTML";
        if (format is "xml" or "text")
        {
            body["parameters"] = "<m to=\"$$To\" s=\"$$Subject\">$$HTML <a>$$FromName $$FromAddress</a> $$MessageID</m>";
        }

        var path = $"/v1/providers/{(await app.CreateAsync(body)).Id()}";
        var trial = ProviderSample.Trial("o'neil+x@example.com");
        var preview = await app.PostAsync($"{path}/preview", trial);
        Assert.True((bool)(await app.PostAsync($"{path}/test", trial))["sent"]!);

        var arrival = Assert.Single(esp.Arrivals);
        Assert.Equal(((string)preview["body"]!, (string)preview["url"]!), (Encoding.UTF8.GetString(Unpacked(arrival)), arrival.Url));
        AssertHeaders(preview, arrival);
    }

    private static byte[] Unpacked(Arrival arrival)
    {
        if (arrival.Headers.GetValueOrDefault("Content-Encoding") != "gzip")
        {
            return arrival.Body;
        }

        using var output = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(arrival.Body), CompressionMode.Decompress);
        gzip.CopyTo(output);
        return output.ToArray();
    }

    private static JsonObject Get(string endpoint)
    {
        var body = ProviderSample.Body(endpoint: endpoint);
        body.Remove("batch");
        body["requestType"] = "GET";
        body["parameters"] = JsonNode.Parse("""{"to": "$$To", "s": "$$Subject", "fn": "$$FromName", "fa": "$$FromAddress", "id": "$$MessageID", "q": "{{profile.name}}&[x]=1"}""");
        return body;
    }

    private static void AssertHeaders(JsonObject preview, Arrival arrival)
    {
        foreach (var header in preview["headers"]!.AsArray().Select(header => ((string)header!["name"]!, (string)header["value"]!)))
        {
            var (name, shown) = header;
            if (shown.Contains("****", StringComparison.Ordinal))
            {
                Assert.EndsWith(name == "Authorization" ? "" : shown[4..], arrival.Headers[name], StringComparison.Ordinal);
                Assert.DoesNotContain("*", arrival.Headers[name], StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal(shown, arrival.Headers[name]);
            }
        }
    }

    private static async Task RunAsync(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true })!;
        await shell.StandardInput.WriteAsync(command);
        shell.StandardInput.Close();
        var output = await shell.StandardOutput.ReadToEndAsync();
        var errors = await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        Assert.True(shell.ExitCode == 0, $"{shell.ExitCode} {errors} {output}");
    }
}
