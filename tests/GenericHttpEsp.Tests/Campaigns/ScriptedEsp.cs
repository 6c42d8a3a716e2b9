using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>A request of the specification's shape, in the order of arrival.</summary>
/// <param name="AnsweredAt">When the answer was made.</param>
internal sealed record ScriptedRequest(int Number, DateTimeOffset At, DateTimeOffset AnsweredAt, int Status, IReadOnlyList<string> Addresses);

/// <summary>An ESP whose answers' heads are a matter of the request's number, for what the sandbox does not say: odd forms of Retry-After.</summary>
internal sealed class ScriptedEsp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Func<int, string?> _retryAfter;
    private readonly int _refused;
    private readonly Lock _lock = new();
    private readonly List<ScriptedRequest> _requests = [];
    private int _count;

    private ScriptedEsp(WebApplication app, int refused, Func<int, string?> retryAfter) => (_app, _refused, _retryAfter) = (app, refused, retryAfter);

    public string Endpoint => $"{_app.Urls.First()}/send";

    public IReadOnlyList<ScriptedRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <param name="refused">The first so many requests are answered 429.</param>
    /// <param name="retryAfter">Their header, by number from 1, made when they are answered.</param>
    public static async Task<ScriptedEsp> StartAsync(int refused, Func<int, string?> retryAfter)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var esp = new ScriptedEsp(builder.Build(), refused, retryAfter);
        esp._app.Run(esp.TakeAsync);
        await esp._app.StartAsync(TestContext.Current.CancellationToken);
        return esp;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        var at = TimeProvider.System.GetUtcNow();
        var number = Interlocked.Increment(ref _count);
        var body = await JsonNode.ParseAsync(context.Request.Body);
        context.Response.StatusCode = number <= _refused ? 429 : 200;
        if (number <= _refused && _retryAfter(number) is { } header)
        {
            context.Response.Headers.RetryAfter = header;
        }

        lock (_lock)
        {
            _requests.Add(new ScriptedRequest(
                number, at, TimeProvider.System.GetUtcNow(), context.Response.StatusCode, [.. body!["msgs"]!.AsArray().Select(static record => (string)record!["to"]!)]));
        }

        await context.Response.WriteAsync("{}");
    }
}
