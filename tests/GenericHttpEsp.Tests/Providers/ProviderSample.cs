using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>Bodies and calls that the tests of providers share.</summary>
internal static class ProviderSample
{
    public const string ApiKey = "planted-key-4711-abcd";

    public static Task<TestApplication> StartAsync(string engine, PostgresServer server, Action<WebApplicationBuilder>? configure = null) =>
        StartAsync(Engines.Parse(engine), server, configure);

    public static Task<TestApplication> StartAsync() => StartAsync(StorageEngine.Sqlite, null, null);

    public static string Nickname() => $"esp {Guid.NewGuid():N}";

    public static JsonObject Body(string? nickname = null, string endpoint = "https://api.esp.example/v1/send") => JsonNode.Parse(
        $$"""
        {
          "nickname": "{{nickname ?? Nickname()}}",
          "requestType": "POST",
          "endpoint": "{{endpoint}}",
          "headers": [{"name": "X-Api-Key", "value": "{{ApiKey}}"}, {"name": "X-Plain", "value": "visible"}],
          "parameters": {
            "cid": "$$hid",
            "msgs": [{"to": "$$To", "subject": "$$Subject", "html": "$$HTML", "from": "$$FromName", "addr": "$$FromAddress", "mid": "$$MessageID", "name": "{{"{{"}}profile.name{{"}}"}}"}]
          },
          "batch": {"parameter": "msgs", "size": 3},
          "defaultFromName": "Käse & \"Co\"",
          "defaultFromAddress": "news@example.com",
          "limits": {"requestsPerSecond": 5, "concurrency": 2}
        }
        """)!.AsObject();

    public static JsonObject Basic(string password)
    {
        var body = Body();
        body["authentication"] = new JsonObject { ["type"] = "basic", ["username"] = "user", ["password"] = password };
        return body;
    }

    public static JsonObject Trial(params string[] recipients) => new()
    {
        ["subject"] = "It's {{profile.name}}'s \"day\"",
        ["html"] = "<p>Hello {{profile.name}} ${HOME} `id` \\ '$$HTML' ☃</p>",
        ["values"] = new JsonObject { ["hid"] = 42 },
        ["recipients"] = new JsonArray([.. recipients.Select((email, index) => new JsonObject
        {
            ["email"] = email,
            ["attributes"] = new JsonObject { ["name"] = $"O'Neil {index} \"q\"" },
        })]),
    };

    public static async Task<JsonObject> CreateAsync(this TestApplication app, JsonObject? body = null)
    {
        using var answer = await app.Client.PostAsJsonAsync("/v1/providers", body ?? Body());
        return await ReadAsync(answer, HttpStatusCode.Created);
    }

    public static async Task<JsonObject> PutAsync(this TestApplication app, long id, JsonObject body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await app.Client.PutAsJsonAsync($"/v1/providers/{id}", body);
        return await ReadAsync(answer, expected);
    }

    public static async Task<JsonObject> PostAsync(this TestApplication app, string path, JsonObject? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await app.Client.PostAsync(path, body is null ? null : JsonContent.Create(body));
        return await ReadAsync(answer, expected);
    }

    public static async Task<JsonObject> GetAsync(this TestApplication app, string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await app.Client.GetAsync(path);
        return await ReadAsync(answer, expected);
    }

    public static async Task<ProviderRuntime> RuntimeAsync(this TestApplication app, long id, int? version = null) =>
        (await app.Services.GetRequiredService<ProviderCatalog>().GetAsync(id, version, TestContext.Current.CancellationToken))!;

    public static long Id(this JsonObject provider) => provider["id"]!.GetValue<long>();

    public static IEnumerable<string> Pointers(this JsonObject problem) => problem["errors"]!.AsObject().Select(error => error.Key).Order(StringComparer.Ordinal);

    private static Task<TestApplication> StartAsync(StorageEngine engine, PostgresServer? server, Action<WebApplicationBuilder>? configure) =>
        TestApplication.StartAsync(engine, server, ["--Dispatch:AllowedNetworks:0=127.0.0.1"], builder =>
        {
            builder.Services.AddDispatch(clusterWide: false, static (_, _) => ValueTask.FromResult(false));
            configure?.Invoke(builder);
        });

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode} {text}");
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }
}
