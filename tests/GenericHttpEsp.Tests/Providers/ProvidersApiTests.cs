using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.Tests.Providers;

public sealed class ProvidersApiTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Provider_ThroughItsLife_AnswersAsDocumented(string engine)
    {
        await using var app = await ProviderSample.StartAsync(engine, server);
        var body = ProviderSample.Body("first");
        using var posted = await app.Client.PostAsJsonAsync("/v1/providers", body);
        var made = JsonNode.Parse(await posted.Content.ReadAsStringAsync())!.AsObject();
        Assert.Equal(HttpStatusCode.Created, posted.StatusCode);
        Assert.Equal("\"1\"", posted.Headers.ETag!.Tag);
        Assert.Equal($"/v1/providers/{made.Id()}", posted.Headers.Location!.ToString());
        Assert.Equal(("active", 1, "****abcd"), ((string)made["status"]!, (int)made["version"]!, (string)made["headers"]![0]!["value"]!));
        Assert.StartsWith($"{app.Address}/callbacks/", (string)made["callbackUrl"]!);
        Assert.Equal("hid", (string)made["customPlaceholders"]![0]!);

        var taken = await app.PostAsync("/v1/providers", ProviderSample.Body("first"), HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["/nickname"], taken.Pointers());
        var second = await app.CreateAsync(ProviderSample.Body("second"));
        Assert.Equal(["/nickname"], (await app.PutAsync(second.Id(), ProviderSample.Body("first"), HttpStatusCode.UnprocessableEntity)).Pointers());
        Assert.Equal("second", (string)(await app.GetAsync($"/v1/providers/{second.Id()}"))["nickname"]!);

        await app.RestartAsync();
        Assert.True(JsonNode.DeepEquals(made["parameters"], (await app.GetAsync($"/v1/providers/{made.Id()}"))["parameters"]));
        using var deleted = await app.Client.DeleteAsync($"/v1/providers/{made.Id()}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await app.GetAsync($"/v1/providers/{made.Id()}", HttpStatusCode.NotFound);
        Assert.NotEqual(made.Id(), (await app.CreateAsync(ProviderSample.Body("first"))).Id());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task List_InPages_HasEachOnceAndFiltersByStatus(string engine)
    {
        await using var app = await ProviderSample.StartAsync(engine, server);
        var ids = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add((await app.CreateAsync()).Id());
        }

        await app.PostAsync($"/v1/providers/{ids[1]}/archive");
        var seen = new List<long>();
        for (var next = "/v1/providers?limit=2"; next is not null;)
        {
            var page = await app.GetAsync(next);
            seen.AddRange(page["items"]!.AsArray().Select(item => (long)item!["id"]!));
            next = page["nextCursor"] is { } cursor ? $"/v1/providers?limit=2&cursor={cursor}" : null;
        }

        Assert.Equal(ids, seen);
        var archived = (await app.GetAsync("/v1/providers?status=archived"))["items"]!.AsArray();
        Assert.Equal((ids[1], "archived", 3, "https://api.esp.example/v1/send"), ((long)archived[0]!["id"]!, (string)archived[0]!["status"]!, (int)archived[0]!["batchSize"]!, (string)archived[0]!["endpoint"]!));
        Assert.Single(archived);
        await app.GetAsync("/v1/providers?status=gone", HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Post_WithEverythingWrong_NamesEveryPlaceAtOnce()
    {
        await using var app = await ProviderSample.StartAsync();
        var body = ProviderSample.Body(nickname: " ", endpoint: "ftp://esp.example/");
        body["headers"] = JsonNode.Parse("""[{"name": "Host", "value": "x"}, {"name": "X-Api-Key", "value": "****abcd"}]""");
        body["parameters"]!["to"] = "$$To";
        body["batch"]!["size"] = 1001;
        body["limits"]!["concurrency"] = 513;
        body["preferenceCenter"] = new JsonObject { ["type"] = "customUrl" };
        var problem = await app.PostAsync("/v1/providers", body, HttpStatusCode.UnprocessableEntity);

        Assert.Equal(
            ["/batch/size", "/endpoint", "/headers/0/name", "/headers/1/value", "/limits/concurrency", "/nickname", "/parameters/to", "/preferenceCenter/url"],
            problem.Pointers());
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest")]
    [InlineData("http://10.0.0.1/send")]
    public async Task Post_WithAnEndpointThatDispatchWouldRefuse_IsRefusedAtOnce(string endpoint)
    {
        await using var app = await ProviderSample.StartAsync();
        var problem = await app.PostAsync("/v1/providers", ProviderSample.Body(endpoint: endpoint), HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["/endpoint"], problem.Pointers());
    }

    [Fact]
    public async Task Put_RaisesRevisionAlways_VersionOnlyWhenRequestsChange()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var body = ProviderSample.Body((string)made["nickname"]!);
        body["parameters"]!["tricky"] = "é\u2028</\ud83d\ude00";
        Assert.Equal((2, 2L), await SaveAsync(app, made.Id(), body));
        Assert.Equal((2, 2L), await SaveAsync(app, made.Id(), body));
        body["limits"]!["requestsPerSecond"] = 7;
        body["nickname"] = "renamed";
        body["onUnknown"] = "hold";
        Assert.Equal((2, 3L), await SaveAsync(app, made.Id(), body));
        body["headers"]![0]!["value"] = "another-key-entirely";
        Assert.Equal((2, 4L), await SaveAsync(app, made.Id(), body));
        body["defaultFromName"] = "Other";
        Assert.Equal((3, 5L), await SaveAsync(app, made.Id(), body));
        body["batch"]!["size"] = 4;
        Assert.Equal((4, 6L), await SaveAsync(app, made.Id(), body));
    }

    [Fact]
    public async Task Put_WithAStaleIfMatch_ChangesNothing()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var body = ProviderSample.Body((string)made["nickname"]!);
        body["limits"]!["concurrency"] = 9;
        using var fresh = await app.Client.SendAsync(Put(made.Id(), body, "\"1\""));
        Assert.Equal((HttpStatusCode.OK, "\"2\""), (fresh.StatusCode, fresh.Headers.ETag!.Tag));
        body["limits"]!["concurrency"] = 10;
        using var stale = await app.Client.SendAsync(Put(made.Id(), body, "\"1\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        Assert.Equal(9, (int)(await app.GetAsync($"/v1/providers/{made.Id()}"))["limits"]!["concurrency"]!);
    }

    [Fact]
    public async Task Put_OfManyAtOnce_LosesNobodysRevision()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var bodies = Enumerable.Range(1, 4).Select(i =>
        {
            var body = ProviderSample.Body((string)made["nickname"]!);
            body["limits"]!["concurrency"] = 10 + i;
            return body;
        });
        await Task.WhenAll(bodies.Select(body => app.PutAsync(made.Id(), body)));
        Assert.Equal(5, (await app.RuntimeAsync(made.Id())).Revision);
    }

    [Fact]
    public async Task Get_SentBackAsPut_ChangesNothing()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(ProviderSample.Basic("swordfish-is-long"));
        await app.PutAsync(made.Id(), await app.GetAsync($"/v1/providers/{made.Id()}"));
        var runtime = await app.RuntimeAsync(made.Id());
        Assert.Equal((1L, "swordfish-is-long", ProviderSample.ApiKey), (runtime.Revision, runtime.Contract.Authentication!.Password, runtime.Contract.Headers![0].Value));
        var unknown = await app.PutAsync(made.Id(), new JsonObject { ["nicknam"] = "x", ["status"] = "active" }, HttpStatusCode.UnprocessableEntity);
        Assert.Contains("/nicknam", unknown.Pointers());
        Assert.DoesNotContain("/status", unknown.Pointers());
    }

    [Fact]
    public async Task Post_RepeatedWithItsIdempotencyKey_MakesOne()
    {
        await using var app = await ProviderSample.StartAsync();
        var body = ProviderSample.Body();
        var ids = new HashSet<long>();
        for (var i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/providers") { Content = JsonContent.Create(body) };
            request.Headers.Add("Idempotency-Key", "once");
            using var answer = await app.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            ids.Add(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject().Id());
        }

        Assert.Single(ids);
    }

    [Fact]
    public async Task Put_WhoseWriteFails_ChangesNothingAndWorksLater()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var changed = made.DeepClone().AsObject();
        changed["defaultFromName"] = "Later";
        await RunOnGrainsAsync(app, "alter table GrainState rename to Gone");
        await app.PutAsync(made.Id(), changed, HttpStatusCode.InternalServerError);
        await RunOnGrainsAsync(app, "alter table Gone rename to GrainState");

        Assert.Equal((string)made["defaultFromName"]!, (string)(await app.GetAsync($"/v1/providers/{made.Id()}"))["defaultFromName"]!);
        Assert.Equal(2, (int)(await app.PutAsync(made.Id(), changed))["version"]!);
    }

    private static async Task RunOnGrainsAsync(Wiring.TestApplication app, string sql)
    {
        await using var connection = new SqliteConnection(SqliteFiles.ConnectionString(Path.Combine(app.Folder, "grains.db")));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<(int Version, long Revision)> SaveAsync(Wiring.TestApplication app, long id, JsonObject body)
    {
        using var answer = await app.Client.PutAsJsonAsync($"/v1/providers/{id}", body);
        var provider = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.True(answer.IsSuccessStatusCode, provider.ToJsonString());
        return ((int)provider["version"]!, long.Parse(answer.Headers.ETag!.Tag.Trim('"'), System.Globalization.CultureInfo.InvariantCulture));
    }

    private static HttpRequestMessage Put(long id, JsonObject body, string etag)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/providers/{id}") { Content = JsonContent.Create(body) };
        request.Headers.Add("If-Match", etag);
        return request;
    }
}
