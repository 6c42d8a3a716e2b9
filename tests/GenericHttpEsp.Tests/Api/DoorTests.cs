using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Api;

/// <summary>The door of the real server, from outside.</summary>
public sealed class DoorTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/keys")]
    [InlineData("/V1/keys")]
    [InlineData("/v1/nothing")]
    [InlineData("/v1")]
    public async Task Call_WithoutAKey_Is401(string path)
    {
        await using var application = await TestApplication.StartAsync();
        using var anonymous = application.Anonymous();
        foreach (var authorization in (string?[])[null, "Basic eDp5", "Bearer ", $"Bearer {ApiKeyFormat.New()}", "Bearer ghe_broken-broken-broken-broken-broken"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var answer = await anonymous.SendAsync(request, Stop);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Key_MadeListedAndRevoked_OpensOnlyMeanwhile(string engine)
    {
        await using var application = await TestApplication.StartAsync(Engines.Parse(engine), server);
        var made = await (await application.Client.PostAsJsonAsync("/v1/keys", new { name = "reporting" }, Stop)).Content.ReadFromJsonAsync<ApiKeyMade>(ApiJson.Options, Stop);
        Assert.True(ApiKeyFormat.IsPlausible(made!.Key));
        using var other = application.Anonymous();
        other.DefaultRequestHeaders.Authorization = new("Bearer", made.Key);

        var list = await other.GetStringAsync("/v1/keys", Stop);
        Assert.Contains("reporting", list, StringComparison.Ordinal);
        Assert.DoesNotContain(made.Key, list, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await application.Client.DeleteAsync($"/v1/keys/{made.Id}", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/v1/keys", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await application.Client.DeleteAsync($"/v1/keys/{made.Id}", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await application.Client.DeleteAsync("/v1/keys/1", Stop)).StatusCode);
    }

    [Fact]
    public async Task Key_InTheDatabase_IsOnlyAHash()
    {
        await using var application = await TestApplication.StartAsync();
        await application.StopAsync();
        var bytes = await File.ReadAllBytesAsync(Path.Combine(application.Folder, "ledger.db"), Stop);
        Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(TestApplication.Key)));
        Assert.NotEqual(-1, bytes.AsSpan().IndexOf(ApiKeyFormat.Hash(TestApplication.Key)));
    }

    [Fact]
    public async Task Key_RevokedByAnotherSilo_StopsWithinFiveSeconds()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var time = new FakeTimeProvider();
        var store = new ApiKeyStore(ledger.Database, time);
        using var keys = new ApiKeys(store, Microsoft.Extensions.Options.Options.Create(new ApiOptions()), time);
        var key = await keys.BootstrapAsync(Stop);
        var row = await store.AddAsync("other", ApiKeyFormat.New(), Stop);
        Assert.Equal(1, await keys.FindAsync(key!, Stop));
        await store.RevokeAsync(1, Stop);

        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Null(await keys.FindAsync(key!, Stop));
        Assert.Null(await keys.BootstrapAsync(Stop));
        Assert.NotNull(row);
    }

    [Fact]
    public async Task Body_AboveTheServersLimit_Is413AndUnderTheRoutesOwnPasses()
    {
        await using var application = await SampleAsync();
        // The server answers before it has read all: a client that waits for 100-continue sees the answer and not a broken pipe.
        application.Client.DefaultRequestHeaders.ExpectContinue = true;
        var large = Encoding.UTF8.GetBytes(new string(' ', 1_500_000));
        using var chunked = new StreamContent(new MemoryStream(large));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await application.Client.PostAsync("/sample/small", new ByteArrayContent(large), Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await application.Client.PostAsync("/sample/large", chunked, Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await application.Client.PostAsync("/sample/large", new ByteArrayContent(new byte[2_500_000]), Stop)).StatusCode);
    }

    [Theory]
    [InlineData("/sample/bug", 500)]
    [InlineData("/sample/ledger", 503)]
    [InlineData("/sample/unknown-path", 404)]
    public async Task Failure_OfAnyKind_IsAProblemWithoutDetails(string path, int status)
    {
        await using var application = await SampleAsync();
        using var answer = await application.Client.GetAsync(path, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("secret detail", text, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", text, StringComparison.Ordinal);
        Assert.Equal(status == 503, answer.Headers.RetryAfter is not null);
    }

    [Fact]
    public async Task OpenApi_IsThereAndNamesTheCalls()
    {
        await using var application = await TestApplication.StartAsync();
        using var document = JsonDocument.Parse(await application.Client.GetStringAsync("/openapi/v1.json", Stop));
        Assert.True(document.RootElement.GetProperty("paths").TryGetProperty("/v1/keys", out _));
    }

    private static Task<TestApplication> SampleAsync() => TestApplication.StartAsync(map: static routes =>
    {
        routes.MapGet("/sample/bug", IResult () => throw new InvalidCastException("secret detail"));
        routes.MapGet("/sample/ledger", static async (LedgerDatabase database) =>
        {
            await database.DisposeAsync();
            return await database.WriteAsync(WriteKind.Forbid, static session => Task.FromResult(1));
        });
        routes.MapPost("/sample/small", LengthAsync);
        routes.MapPost("/sample/large", LengthAsync).WithBodyLimit(2_000_000);
    });

    private static async Task<IResult> LengthAsync(HttpRequest request)
    {
        var (bytes, problem) = await ApiBody.BytesAsync(request, long.MaxValue, CancellationToken.None);
        return problem ?? Results.Ok(bytes!.Length);
    }
}
