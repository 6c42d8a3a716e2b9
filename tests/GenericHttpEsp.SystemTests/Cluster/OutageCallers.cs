using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>What a caller was told.</summary>
/// <param name="Silo">Who told.</param>
/// <param name="Person">Whose event it was; null for an unsubscribe link.</param>
/// <param name="Asked">When the call began.</param>
/// <param name="Answered">When the answer was there.</param>
/// <param name="Status">200: it is stored. 503: call again.</param>
internal sealed record OutageAnswer(ClusterSilo Silo, int? Person, DateTimeOffset Asked, DateTimeOffset Answered, HttpStatusCode Status);

/// <summary>The ESP's callbacks and a person's unsubscribe link, at every silo all the time, whatever happens to the database.</summary>
internal sealed class OutageCallers
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentQueue<OutageAnswer> _answers = new();
    private readonly FireCallbacks _callbacks;
    private readonly long _campaign;
    private readonly string _link;
    private readonly Task _calling;
    private int _next = -1;
    private volatile bool _stopping;

    private OutageCallers(ClusterBench bench, FireCallbacks callbacks, long campaign)
    {
        (_callbacks, _campaign) = (callbacks, campaign);
        var body = JsonNode.Parse(bench.Sandbox.Bodies[0].Body.Span)!;
        _link = new Uri((string)body["msgs"]![0]!["unsubscribe"]!).AbsolutePath;
        _calling = Task.WhenAll(bench.Silos.Select(silo => Task.Run(() => CallAsync(silo))));
    }

    public static async Task<OutageCallers> StartAsync(ClusterBench bench, long campaign) => new(bench, await FireCallbacks.OfAsync(bench, campaign), campaign);

    /// <summary>Waits until any caller was told so.</summary>
    public async Task ToldAsync(HttpStatusCode status, DateTimeOffset since = default)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(Every);
        while (!_answers.Any(answer => answer.Status == status && answer.Asked >= since))
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>In this time every silo told every caller to come again, and nobody that something was done.</summary>
    public void WereTurnedAway(ClusterBench bench, DateTimeOffset from, DateTimeOffset until)
    {
        var told = _answers.Where(answer => answer.Asked >= from && answer.Answered <= until).ToList();
        Assert.All(told, static answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status));
        Assert.All(bench.Silos, silo => Assert.Contains(told, answer => answer.Silo == silo && answer.Person is not null));
        Assert.All(bench.Silos, silo => Assert.Contains(told, answer => answer.Silo == silo && answer.Person is null));
    }

    /// <summary>Ends the calls. Every event that was acknowledged is stored; one that was not is taken now.</summary>
    public async Task HoldsAsync(ClusterBench bench)
    {
        await StopAsync();
        Assert.All(_answers, static answer => Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{answer.Status}"));
        var stored = (await FireEvents.ReadAsync(bench, _campaign)).Emails;
        var acknowledged = _answers.Where(static answer => answer is { Person: not null, Status: HttpStatusCode.OK }).Select(answer => _callbacks.Email(answer.Person!.Value));
        Assert.DoesNotContain(acknowledged, email => !stored.Contains(email));
        foreach (var person in _answers.Select(static answer => answer.Person).OfType<int>().Distinct())
        {
            await TakenAsync(_callbacks.Body(person, 1), bench);
        }
    }

    /// <summary>A silo on a busy machine may need a moment more than the one that sent first: whoever is told 503 posts again.</summary>
    private async Task TakenAsync(string body, ClusterBench bench)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(Every);
        while (true)
        {
            using var answer = await _callbacks.PostAsync(body, bench.NextDoor());
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                Assert.Empty(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["UNPROCESSED_EVENTS"]?.AsArray() ?? []);
                return;
            }

            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Ends the calls.</summary>
    public Task StopAsync()
    {
        _stopping = true;
        return _calling;
    }

    private async Task CallAsync(ClusterSilo silo)
    {
        using var tick = new PeriodicTimer(Every);
        while (!_stopping)
        {
            var person = (int)((uint)Interlocked.Increment(ref _next) % _callbacks.Count);
            await NoteAsync(silo, person, _callbacks.PostAsync(_callbacks.Body(person, 1), silo.Server.Client));
            await NoteAsync(silo, null, silo.Server.Client.PostAsync(_link, null));
            await tick.WaitForNextTickAsync();
        }
    }

    private async Task NoteAsync(ClusterSilo silo, int? person, Task<HttpResponseMessage> call)
    {
        var asked = TimeProvider.System.GetUtcNow();
        using var answer = await call;
        _answers.Enqueue(new OutageAnswer(silo, person, asked, TimeProvider.System.GetUtcNow(), answer.StatusCode));
    }
}
