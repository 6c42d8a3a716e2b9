using System.Net;
using System.Net.Http.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Api;

public sealed class IdempotencyTests(PostgresServer server)
{
    private int _created;
    private TaskCompletionSource? _gate;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Call_RepeatedWithItsKey_AnswersAgainAndCreatesOnce(string engine)
    {
        await using var application = await StartAsync(Engines.Parse(engine));
        using var first = await PostAsync(application, "k1", "a");
        using var second = await PostAsync(application, "k1", "a");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, second.StatusCode));
        Assert.Equal(await first.Content.ReadAsStringAsync(Stop), await second.Content.ReadAsStringAsync(Stop));
        Assert.Equal((first.Headers.Location, first.Content.Headers.ContentType), (second.Headers.Location, second.Content.Headers.ContentType));
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.True(second.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, _created);
    }

    [Fact]
    public async Task Key_UsedForAnotherBody_Is422()
    {
        await using var application = await StartAsync();
        using var first = await PostAsync(application, "k1", "a");
        using var second = await PostAsync(application, "k1", "b");
        using var third = await PostAsync(application, "k2", "b");
        Assert.Equal(
            (HttpStatusCode.Created, HttpStatusCode.UnprocessableEntity, HttpStatusCode.Created), (first.StatusCode, second.StatusCode, third.StatusCode));
        Assert.Equal(2, _created);
    }

    [Fact]
    public async Task Call_WhileTheFirstRuns_Is409()
    {
        await using var application = await StartAsync();
        _gate = new TaskCompletionSource();
        var first = PostAsync(application, "k1", "wait");
        while (Volatile.Read(ref _created) == 0)
        {
            await Task.Yield();
        }

        using var second = await PostAsync(application, "k1", "wait");
        _gate.SetResult();
        using var answer = await first;
        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Created), (second.StatusCode, answer.StatusCode));
    }

    [Fact]
    public async Task Call_ThatWasRefused_MayBeCorrectedUnderItsKey()
    {
        await using var application = await StartAsync();
        using var refused = await PostAsync(application, "k1", "");
        using var corrected = await PostAsync(application, "k1", "a");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, HttpStatusCode.Created), (refused.StatusCode, corrected.StatusCode));
    }

    [Fact]
    public async Task Call_WithoutAKey_IsNotRemembered()
    {
        await using var application = await StartAsync();
        using var first = await PostAsync(application, null, "a");
        using var second = await PostAsync(application, null, "a");
        Assert.Equal(2, _created);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Row_OfADeadCallOrAnOldOne_GivesWay(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        var store = new IdempotencyStore(ledger.Database, await KeysAsync(ledger), time);
        var call = new IdempotentCall([1], [2]);
        Assert.Equal(IdempotencyState.Mine, (await store.BeginAsync(call, Stop)).State);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(IdempotencyState.Running, (await store.BeginAsync(call, Stop)).State);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(IdempotencyState.Mine, (await store.BeginAsync(call, Stop)).State);
        await store.CompleteAsync(call, new StoredAnswerBody(201, null, null, null), Stop);
        time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(IdempotencyState.Answered, (await store.BeginAsync(call, Stop)).State);
        time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(IdempotencyState.Mine, (await store.BeginAsync(call, Stop)).State);
    }

    [Fact]
    public async Task Rows_ThatAreOld_AreCleanedByLaterCalls()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        var store = new IdempotencyStore(ledger.Database, await KeysAsync(ledger), time);
        for (byte i = 0; i < 30; i++)
        {
            await store.BeginAsync(new IdempotentCall([i], [2]), Stop);
        }

        time.Advance(TimeSpan.FromHours(25));
        for (byte i = 100; i < 103; i++)
        {
            await store.BeginAsync(new IdempotentCall([i], [2]), Stop);
        }

        Assert.Equal(3, await ledger.Database.ReadAsync(session => session.FirstAsync("select count(*) from idempotency", static row => row.GetInt64(0)), Stop));
    }

    private static Task<InstallationKeys> KeysAsync(TestLedger ledger) =>
        InstallationKeys.LoadAsync(ledger.Database, ledger.Options, new SecretsOptions(), null, TimeProvider.System, Stop);

    private Task<TestApplication> StartAsync(StorageEngine engine = StorageEngine.Sqlite) => TestApplication.StartAsync(
        engine, server, map: routes => routes.MapPost("/v1/samples", CreateAsync).WithIdempotency());

    private async Task<IResult> CreateAsync(HttpRequest request)
    {
        var (body, problem) = await ApiBody.ReadAsync<ApiKeyRequest>(request, 1000, CancellationToken.None);
        if (body is null)
        {
            return problem!;
        }

        var id = Interlocked.Increment(ref _created);
        await (_gate?.Task ?? Task.CompletedTask);
        return Results.Created($"/v1/samples/{id}", new { id, body.Name });
    }

    private static Task<HttpResponseMessage> PostAsync(TestApplication application, string? key, string name)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/samples") { Content = JsonContent.Create(new { name }) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return application.Client.SendAsync(request, Stop);
    }
}
