using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Sandbox;

/// <summary>Takes callbacks and answers as told.</summary>
internal sealed class SandboxReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _bodies;

    private SandboxReceiver(WebApplication app) => _app = app;

    public ConcurrentQueue<JsonElement> Bodies { get; } = new();

    /// <summary>By number of the body, from 1.</summary>
    public Func<int, HttpResponse, string> Answer { get; set; } = (_, _) => """{"TOTAL_EVENTS":1,"PROCESSED_EVENTS":1,"UNPROCESSED_EVENTS":[]}""";

    public Uri Url => new(_app.Urls.First() + "/callbacks/token");

    /// <summary>All events as group/type/email, in the order of arrival.</summary>
    public List<string> Events => [.. Bodies.SelectMany(body => body.GetProperty("events").EnumerateObject())
        .SelectMany(group => group.Value.EnumerateArray().Select(one => $"{group.Name}/{one.GetProperty("type")}/{one.GetProperty("email")}"))];

    public static async Task<SandboxReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new SandboxReceiver(app);
        app.Run(receiver.TakeAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var answer = Answer(Interlocked.Increment(ref _bodies), context.Response);
        if (context.Response.StatusCode == 200)
        {
            Bodies.Enqueue(body.RootElement.Clone());
        }

        await context.Response.WriteAsync(answer);
    }
}
