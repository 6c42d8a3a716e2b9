using System.Net;
using System.Net.Http.Json;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Providers;

public sealed class ProviderNicknameTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Nickname_ThatIsTaken_IsAnAnswer_AndNoErrorInTheLog(string engine)
    {
        using var log = new CapturedLog();
        await using var app = await ProviderSample.StartAsync(engine, server, builder => builder.Logging.AddProvider(log));
        var first = await app.CreateAsync(ProviderSample.Body("first"));
        var second = await app.CreateAsync(ProviderSample.Body("second"));

        Assert.Equal(["/nickname"], (await app.PostAsync("/v1/providers", ProviderSample.Body("first"), HttpStatusCode.UnprocessableEntity)).Pointers());
        Assert.Equal(["/nickname"], (await app.PutAsync(second.Id(), ProviderSample.Body("first"), HttpStatusCode.UnprocessableEntity)).Pointers());
        // Its own is not taken.
        var own = ProviderSample.Body("first");
        own["limits"]!["concurrency"] = 3;
        await app.PutAsync(first.Id(), own);
        Assert.DoesNotContain(log.Text.Split('\n'), static line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal));
    }

    /// <summary>Whoever asks at the same moment is told by the index.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Nickname_AskedForByManyAtOnce_IsGivenOnce(string engine)
    {
        await using var app = await ProviderSample.StartAsync(engine, server);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.Client.PostAsJsonAsync("/v1/providers", ProviderSample.Body("one"))));
        var statuses = Array.ConvertAll(answers, static answer => answer.StatusCode);
        Assert.Single(statuses, static status => status == HttpStatusCode.Created);
        Assert.Equal(7, statuses.Count(static status => status == HttpStatusCode.UnprocessableEntity));
        Array.ForEach(answers, static answer => answer.Dispose());
    }
}
