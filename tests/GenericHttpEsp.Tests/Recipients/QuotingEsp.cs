using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Recipients;

/// <summary>An ESP that quotes every address it was given, in several spellings, with a status that the test sets.</summary>
internal sealed class QuotingEsp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private QuotingEsp(WebApplication app) => _app = app;

    public string Endpoint => $"{_app.Urls.First()}/send";

    public int Status { get; set; } = 200;

    public int Requests { get; private set; }

    public static async Task<QuotingEsp> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var esp = new QuotingEsp(builder.Build());
        esp._app.Run(esp.TakeAsync);
        await esp._app.StartAsync(TestContext.Current.CancellationToken);
        return esp;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        var body = await JsonNode.ParseAsync(context.Request.Body);
        Requests++;
        context.Response.StatusCode = Status;
        foreach (var address in body!["msgs"]!.AsArray().Select(static record => (string)record!["to"]!))
        {
            await context.Response.WriteAsync(
                $"550 <{address}> unknown; \"{address.ToUpperInvariant()}\" {Uri.EscapeDataString(address)} {address.Replace("@", "\\u0040", StringComparison.Ordinal)}\n");
        }
    }
}
