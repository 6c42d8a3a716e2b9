using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// The demo from import to table, told as it happens. A client of the API and the owner of the sandbox; nothing here reaches into the server, so whatever
/// it shows can be had with curl.
/// </summary>
internal sealed class DemoStory(DemoApi api, Uri server, SandboxHost sandbox, DemoScreen screen, TimeProvider time)
{
    // Some of the last messages' readers press the link, so that there are leavers even when the ESP calls back nothing.
    private const int EveryNthLeaves = 100;
    private static readonly TimeSpan CallbacksPatience = TimeSpan.FromSeconds(30);
    private SandboxSummary _seen = new();

    /// <returns>The provider it used, and whether everything added up.</returns>
    public async Task<(long Provider, bool Holds)> TellAsync(CancellationToken cancellationToken)
    {
        await ImportAsync(cancellationToken);
        var provider = await ProviderAsync(cancellationToken);
        var first = await SendAsync(DemoContent.First(provider), cancellationToken);
        await CallbacksAsync(cancellationToken);
        await LeaveAsync(cancellationToken);
        var second = await SendAsync(DemoContent.Second(provider), cancellationToken);
        await CallbacksAsync(cancellationToken);

        DemoResult[] results = [await AgainAsync(first, cancellationToken), await AgainAsync(second, cancellationToken)];
        screen.Write(DemoTable.Of(results));
        foreach (var problem in results.SelectMany(static result => result.Problems).Concat(sandbox.Summary().Problems))
        {
            screen.More(problem);
        }

        return (provider, Array.TrueForAll(results, static result => result.IsGood));
    }

    private async Task ImportAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await using var people = DemoPeople.Open();
        var answer = await api.ImportAsync(people, cancellationToken);
        screen.Step("Recipients", $"{Count(answer, "received")} imported: {Count(answer, "inserted")} inserted, {Count(answer, "updated")} updated, "
            + $"{Count(answer, "rejected")} rejected, in {DemoScreen.Seconds(time.GetElapsedTime(began))}");
    }

    private async Task<long> ProviderAsync(CancellationToken cancellationToken)
    {
        var body = DemoContent.Provider(sandbox.Address);
        var known = await api.FindProviderAsync(DemoContent.Nickname, cancellationToken);
        var provider = known is { } id
            ? await api.PutAsync($"/v1/providers/{id}", body, cancellationToken)
            : await api.PostAsync("/v1/providers", body, cancellationToken);
        // Of the callback URL only the path: PublicUrl may be the address of another, real installation.
        var callbacks = new Uri(server, new Uri(provider.GetProperty("callbackUrl").GetString()!).AbsolutePath);
        sandbox.Behaviour = sandbox.Behaviour with { Callbacks = sandbox.Behaviour.Callbacks with { CallbackUrl = callbacks } };
        screen.Step("Provider", $"{provider.GetProperty("id").GetInt64()} \"{DemoContent.Nickname}\", {(known is null ? "created" : "updated")}: "
            + $"POST {provider.GetProperty("endpoint").GetString()}, up to {DemoContent.BatchSize} messages a call");
        return provider.GetProperty("id").GetInt64();
    }

    private async Task<DemoResult> SendAsync(object content, CancellationToken cancellationToken)
    {
        var campaign = await api.PostAsync("/v1/campaigns", content, cancellationToken);
        var (id, name) = (campaign.GetProperty("id").GetInt64(), campaign.GetProperty("name").GetString()!);
        screen.Step($"Campaign {id}", $"\"{name}\" to everybody");
        var began = time.GetTimestamp();
        await api.PostAsync($"/v1/campaigns/{id}/start", null, cancellationToken);
        var stats = await screen.FollowAsync(api.ProgressAsync(id, cancellationToken));
        var elapsed = time.GetElapsedTime(began);
        return new DemoResult(id, name, stats, [], elapsed, 0, 0);
    }

    /// <summary>Read when all is over: the recount, the ESP's own count, and what callbacks added meanwhile.</summary>
    private async Task<DemoResult> AgainAsync(DemoResult result, CancellationToken cancellationToken)
    {
        var stats = await api.GetAsync($"/v1/campaigns/{result.Id}/stats", cancellationToken);
        var audit = await api.GetAsync($"/v1/campaigns/{result.Id}/verify", cancellationToken);
        var (arrived, twice) = DemoArrivals.Count(sandbox, result.Id);
        return result with
        {
            Stats = stats,
            Problems = [.. audit.GetProperty("problems").EnumerateArray().Select(static problem => problem.GetString()!)],
            Arrived = arrived,
            Twice = twice,
        };
    }

    private async Task CallbacksAsync(CancellationToken cancellationToken)
    {
        try
        {
            await sandbox.WaitForCallbacksAsync(cancellationToken).WaitAsync(CallbacksPatience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The line below says how many are still waiting.
        }

        screen.Step("Callbacks", DemoCallbacks.Since(_seen, sandbox));
        _seen = sandbox.Summary();
    }

    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        var left = 0;
        foreach (var link in DemoArrivals.UnsubscribeLinks(sandbox, EveryNthLeaves))
        {
            left += await api.UnsubscribeAsync(link, cancellationToken) ? 1 : 0;
        }

        screen.Step("Unsubscribe", $"{left} readers press the link in their message");
    }

    private static string Count(JsonElement answer, string member) => DemoScreen.Number(answer.GetProperty(member).GetInt64());
}
