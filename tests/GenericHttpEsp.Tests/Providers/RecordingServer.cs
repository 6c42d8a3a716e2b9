using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>One request as it arrived.</summary>
internal sealed record Arrival(string Method, string Url, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>An ESP that keeps what it gets, byte for byte, and answers with what a careless one quotes: credentials, query and body.</summary>
internal sealed class RecordingServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RecordingServer(WebApplication app) => _app = app;

    public ConcurrentQueue<Arrival> Arrivals { get; } = new();

    public string Address => _app.Urls.First();

    public static async Task<RecordingServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new RecordingServer(builder.Build());
        server._app.Run(server.TakeAsync);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Arrivals.Enqueue(new(context.Request.Method, context.Request.GetEncodedUrl(), headers, body.ToArray()));
        var text = context.Request.Headers.ContentEncoding.Count == 0 ? System.Text.Encoding.UTF8.GetString(body.ToArray()) : "";
        await context.Response.WriteAsync($"thanks, {context.Request.Headers.Authorization}{context.Request.Headers["X-Api-Key"]} {context.Request.QueryString} {text}");
    }
}
