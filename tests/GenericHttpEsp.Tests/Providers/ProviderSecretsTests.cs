using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Providers;

public sealed class ProviderSecretsTests(PostgresServer server)
{
    [Fact]
    public async Task Put_WithMaskedOrAbsentSecrets_KeepsThem()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(ProviderSample.Basic("short"));
        var body = ProviderSample.Basic("****");
        body["headers"]![0]!.AsObject().Remove("value");
        body["endpoint"] = "https://api.esp.example/v2/other?path=1";
        var answer = await app.PutAsync(made.Id(), body);
        Assert.Equal(("****", "****abcd"), ((string)answer["authentication"]!["password"]!, (string)answer["headers"]![0]!["value"]!));
        var contract = (await app.RuntimeAsync(made.Id())).Contract;
        Assert.Equal(("short", ProviderSample.ApiKey), (contract.Authentication!.Password, contract.Headers![0].Value));
    }

    [Fact]
    public async Task Put_WithANullSecret_RemovesIt()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(ProviderSample.Basic("swordfish-is-long"));
        var body = ProviderSample.Basic("x");
        body["authentication"]!["password"] = null;
        body["headers"]![0]!["value"] = null;
        var answer = await app.PutAsync(made.Id(), body);
        Assert.True(answer["authentication"]!["password"] is null && answer["headers"]![0]!["value"] is null);
        var runtime = await app.RuntimeAsync(made.Id());
        Assert.Equal(("", ""), (runtime.Contract.Authentication!.Password, runtime.Contract.Headers![0].Value));
        Assert.Empty((await app.Grains.GetGrain<IProviderGrain>(made.Id()).Read())!.Definition!.Sealed);
    }

    [Theory]
    [InlineData("https://api.other.example/v1/send")]
    [InlineData("https://api.esp.example:8443/v1/send")]
    [InlineData("http://api.esp.example/v1/send")]
    public async Task Put_WithAnotherHost_NeedsEachSecretAgain(string endpoint)
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(ProviderSample.Basic("swordfish-is-long"));
        var body = ProviderSample.Basic("****long");
        body["headers"]![0]!.AsObject().Remove("value");
        body["endpoint"] = endpoint;
        var problem = await app.PutAsync(made.Id(), body, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["/authentication/password", "/headers/0/value"], problem.Pointers());
        body["authentication"]!["password"] = "new-password-here";
        body["headers"]![0]!["value"] = "new-key-here";
        await app.PutAsync(made.Id(), body);
        Assert.Equal("new-key-here", (await app.RuntimeAsync(made.Id())).Contract.Headers![0].Value);
    }

    [Fact]
    public async Task Put_OfAMaskIntoAnOpenHeader_IsRefused()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var body = ProviderSample.Body();
        body["headers"]![0] = new JsonObject { ["name"] = "X-Api-Key", ["value"] = "****abcd", ["secret"] = false };
        Assert.Equal(["/headers/0/value"], (await app.PutAsync(made.Id(), body, HttpStatusCode.UnprocessableEntity)).Pointers());
    }

    [Theory]
    [InlineData("POST", "json")]
    [InlineData("POST", "form")]
    [InlineData("GET", "json")]
    public async Task ParameterSecrets_AreMasked_KeptAndSent(string method, string format)
    {
        const string key = "planted-key \"1\" $$$$ abcd";
        const string sent = "planted-key \"1\" $$ abcd";
        await using var app = await ProviderSample.StartAsync();
        await using var esp = await RecordingServer.StartAsync();
        var body = WithParameterSecrets($"{esp.Address}/send?x=1&apikey=planted%2Fin%20url", key);
        (body["requestType"], body["bodyFormat"]) = (method, format);
        var made = await app.CreateAsync(body);
        Assert.Equal(("****abcd", $"{esp.Address}/send?x=1&apikey=****0url"), ((string)made["parameters"]!["key"]!, (string)made["endpoint"]!));

        made["defaultFromName"] = "Changed";
        var put = await app.PutAsync(made.Id(), made);
        Assert.Equal(((int)made["version"]! + 1, "****abcd"), ((int)put["version"]!, (string)put["parameters"]!["key"]!));
        Assert.Equal((int)put["version"]!, (int)(await app.PutAsync(made.Id(), put))["version"]!);
        var path = $"/v1/providers/{made.Id()}";
        var preview = await app.PostAsync($"{path}/preview", ProviderSample.Trial("a@example.com"));
        var test = await app.PostAsync($"{path}/test", ProviderSample.Trial("a@example.com"));

        var arrival = Assert.Single(esp.Arrivals);
        Assert.Contains("apikey=planted%2Fin%20url", arrival.Url, StringComparison.Ordinal);
        var text = Encoding.UTF8.GetString(arrival.Body);
        Assert.Equal(sent, format == "form" ? HttpUtility.ParseQueryString(text)["key"]
            : method == "GET" ? HttpUtility.ParseQueryString(new Uri(arrival.Url).Query)["key"] : (string?)JsonNode.Parse(text)!["key"]);
        Assert.Contains("****abcd", preview.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("****", (string)test["answer"]!, StringComparison.Ordinal);
        foreach (var seen in (JsonObject[])[made, put, preview, test, await app.GetAsync(path), await app.GetAsync("/v1/providers")])
        {
            Assert.DoesNotContain("planted", seen.ToJsonString(), StringComparison.Ordinal);
        }
        Assert.DoesNotContain("planted", await StoredAsync(app), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ParameterSecrets_LikeHeaders_AreRemovedRefusedAndBoundToTheirHost()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(WithParameterSecrets("https://api.esp.example/send?token=planted-url", "planted-key"));
        var moved = made.DeepClone().AsObject();
        moved["endpoint"] = "https://evil.example/send?token=****-url";
        Assert.Equal(["/endpoint", "/parameters/key"], (await app.PutAsync(made.Id(), moved, HttpStatusCode.UnprocessableEntity)).Pointers());

        var renamed = made.DeepClone().AsObject();
        renamed["parameters"]!["open"] = "****";
        renamed["parameters"]!["apiToken"] = "****";
        Assert.Equal(["/parameters/apiToken", "/parameters/open"], (await app.PutAsync(made.Id(), renamed, HttpStatusCode.UnprocessableEntity)).Pointers());

        made["parameters"]!["key"] = null;
        made["endpoint"] = "https://api.esp.example/send";
        Assert.Null((await app.PutAsync(made.Id(), made))["parameters"]!["key"]);
        Assert.Empty((await app.Grains.GetGrain<IProviderGrain>(made.Id()).Read())!.Definition!.Sealed);
    }

    [Theory]
    [InlineData("key", "abc", true)]
    [InlineData("Access_Token", "abc", true)]
    [InlineData("apiKey", "abc", true)]
    [InlineData("keyword", "abc", false)]
    [InlineData("key", "$$BatchID", false)]
    [InlineData("key", "{{ profile.x }}", false)]
    [InlineData("key", "", false)]
    public void Parameter_LiteralNamedLikeACredential_IsASecret(string name, string value, bool secret) =>
        Assert.Equal(secret ? [name] : [], ParameterSecrets.Names(JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["x"] = "y", [name] = value })));

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Secrets_Planted_AreInNoAnswerNoLogAndNoDatabase(string engine)
    {
        var log = new ConcurrentQueue<string>();
        await using var app = await ProviderSample.StartAsync(engine, server, builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new QueueLogger(log));
        });
        await using var esp = await RecordingServer.StartAsync();
        string[] planted = [ProviderSample.ApiKey, "planted-password-one", "planted-bearer-two", "planted-custom-three"];
        var body = ProviderSample.Basic(planted[1]);
        body["endpoint"] = esp.Address + "/send";
        body["headers"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "X-Auth-Token", ["value"] = $"Bearer {planted[2]}" });
        body["headers"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "X-Odd", ["value"] = planted[3], ["secret"] = true });
        var made = await app.CreateAsync(body);
        var path = $"/v1/providers/{made.Id()}";
        JsonObject[] answers =
        [
            made, await app.GetAsync(path), await app.PutAsync(made.Id(), body), await app.GetAsync("/v1/providers"), await app.PostAsync($"{path}/archive"),
            await app.PostAsync($"{path}/rotate-callback"), await app.PostAsync($"{path}/preview", ProviderSample.Trial("a@example.com")),
            await app.PostAsync($"{path}/test", ProviderSample.Trial("a@example.com")), await app.PutAsync(made.Id(), Broken(body), HttpStatusCode.UnprocessableEntity),
        ];
        Assert.Contains("****", (string)answers[7]["answer"]!);
        Assert.Equal(planted[3], esp.Arrivals.Single().Headers["X-Odd"]);
        await app.GetAsync("/v1/providers/999", HttpStatusCode.NotFound);

        var token = ((string)answers[5]["callbackUrl"]!).Split('/')[^1];
        var stored = await StoredAsync(app);
        Assert.Contains("api.esp", stored + "api.esp", StringComparison.Ordinal);
        Assert.Contains("visible", stored, StringComparison.Ordinal);
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{planted[1]}"));
        foreach (var secret in planted.Append(basic))
        {
            Assert.DoesNotContain(answers, answer => answer.ToJsonString().Contains(secret, StringComparison.Ordinal));
        }

        foreach (var secret in planted.Append(basic).Append(token))
        {
            Assert.DoesNotContain(log, line => line.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(secret, stored, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret))[..^4], stored, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Vault_ValueMovedToAnotherPlace_DoesNotOpen()
    {
        await using var app = await ProviderSample.StartAsync();
        var vault = app.Services.GetRequiredService<SecretVault>();
        var text = vault.Seal(1, "esp.example:443", "headers.x", "secret");
        Assert.Equal("secret", vault.Open(1, "esp.example:443", "headers.x", text));
        Assert.Throws<InvalidOperationException>(() => vault.Open(2, "esp.example:443", "headers.x", text));
        Assert.Throws<InvalidOperationException>(() => vault.Open(1, "evil.example:443", "headers.x", text));
        Assert.Throws<InvalidOperationException>(() => vault.Open(1, "esp.example:443", "headers.y", text));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("12345678901", "****")]
    [InlineData("123456789012", "****9012")]
    [InlineData("1234567890😀xyz", "****xyz")]
    public void Mask_OfASecret_ShowsAtMostItsLastFour(string? secret, string? mask) => Assert.Equal(mask, SecretMask.Of(secret));

    private static JsonObject WithParameterSecrets(string endpoint, string key)
    {
        var body = ProviderSample.Body(endpoint: endpoint);
        body.Remove("headers");
        body.Remove("batch");
        body["parameters"] = JsonNode.Parse("""{"to": "$$To", "s": "$$Subject", "fn": "$$FromName", "fa": "$$FromAddress", "html": "$$HTML", "id": "$$MessageID"}""");
        body["parameters"]!["key"] = key;
        return body;
    }

    private static JsonObject Broken(JsonObject body)
    {
        var broken = body.DeepClone().AsObject();
        broken["headers"]![0]!["value"] = $"{ProviderSample.ApiKey}\u2603";
        return broken;
    }

    private static async Task<string> StoredAsync(Wiring.TestApplication app)
    {
        var ledger = app.Services.GetRequiredService<LedgerDatabase>();
        if (ledger.Engine == StorageEngine.PostgreSql)
        {
            var rows = await ledger.ReadAsync(session => session.QueryAsync(
                """
                select convert_from(PayloadBinary, 'UTF8') from GrainState where PayloadBinary is not null
                union all select encode(body, 'escape') from idempotency where body is not null limit 1000
                """,
                static row => row.GetString(0)));
            return string.Join('\n', rows);
        }

        var files = Directory.GetFiles(app.Folder, "*.db*");
        Assert.Contains(files, file => file.EndsWith("grains.db", StringComparison.Ordinal));
        var text = new StringBuilder();
        foreach (var file in files)
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            text.Append(await reader.ReadToEndAsync());
        }

        return text.ToString();
    }

    private sealed class QueueLogger(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
