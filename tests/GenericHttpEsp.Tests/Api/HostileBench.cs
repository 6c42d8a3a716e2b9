using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Dispatch;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Api;

/// <summary>The real application with one of everything in it, for callers that mean no good. It reaches no network: every name leads to the inside.</summary>
internal sealed class HostileBench : IAsyncDisposable
{
    private readonly ErrorLog _log;
    private int _unique;

    private HostileBench(TestApplication application, ErrorLog log) => (Application, _log) = (application, log);

    public TestApplication Application { get; }

    public HttpClient Anonymous { get; private set; } = null!;

    /// <summary>What was logged as an error: exceptions that nobody expected.</summary>
    public ConcurrentQueue<string> Errors => _log.Lines;

    public string Email { get; } = "person@example.com";

    public long Provider { get; private set; }

    public long Campaign { get; private set; }

    private string CallbackToken { get; set; } = "";

    private string UnsubscribeToken { get; set; } = "";

    public static async Task<HostileBench> StartAsync(string engine, PostgresServer server)
    {
        var log = new ErrorLog();
        var application = await TestApplication.StartAsync(Engines.Parse(engine), server, configure: builder =>
        {
            builder.Logging.AddProvider(log);
            builder.Services.AddSingleton<IAddressResolver>(new ScriptedResolver(static () => [IPAddress.Loopback]));
        });
        var bench = new HostileBench(application, log) { Anonymous = application.Anonymous() };
        await bench.FillAsync();
        return bench;
    }

    /// <summary>The route's path with one of its parameters set to something else, which is sent as it stands here.</summary>
    public string Path(HostileRoute route, string? parameter = null, string? value = null)
    {
        var path = route.Pattern.Replace(":long", "", StringComparison.Ordinal);
        foreach (var (name, usual) in Usual(route))
        {
            path = path.Replace($"{{{name}}}", name == parameter ? value! : usual, StringComparison.Ordinal);
        }

        return path;
    }

    /// <summary>Parameters in the path, and a value that names something.</summary>
    public IEnumerable<(string Name, string Value)> Usual(HostileRoute route)
    {
        foreach (var name in route.Pattern.Split('{').Skip(1).Select(static part => part.Split('}', ':')[0]))
        {
            yield return (name, name switch
            {
                "id" => (route.Pattern.StartsWith("/v1/campaigns", StringComparison.Ordinal) ? Campaign : Provider).ToString(CultureInfo.InvariantCulture),
                "email" => Email,
                "name" => "News",
                "token" => route.Pattern.StartsWith("/callbacks", StringComparison.Ordinal) ? CallbackToken : UnsubscribeToken,
                "documentName" => "v1",
                _ => throw new InvalidOperationException($"{route}: say in HostileBench.Usual what stands for {{{name}}}, and in HostilePaths what hostile values it gets."),
            });
        }
    }

    /// <summary>Filled in, but for <c>{unique}</c>, which <see cref="SendAsync"/> replaces.</summary>
    public string Sample(HostileRoute route) => route.Sample!
        .Replace("{provider}", Provider.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("{email}", Email, StringComparison.Ordinal);

    /// <summary>The body with another number in the place of <c>{unique}</c>: Latin-1 keeps bytes that are no text.</summary>
    public byte[] Unique(byte[] body) => body.AsSpan().IndexOf("{unique}"u8) < 0 ? body : Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(body)
        .Replace("{unique}", Interlocked.Increment(ref _unique).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    /// <param name="authorization">The key unless told otherwise; empty for none.</param>
    public async Task<HostileReply> SendAsync(
        string method, string path, byte[]? body = null, string? contentType = "application/json", string? authorization = $"Bearer {TestApplication.Key}",
        params (string Name, string Value)[] headers)
    {
        // As it stands here: no dots, cases or escapes are made nicer.
        using var request = new HttpRequestMessage(
            new HttpMethod(method), new Uri(Application.Address + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Unique(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        // A server that refuses a body does not read it to its end: who waits for "100 Continue" sees the answer and no broken pipe.
        request.Headers.ExpectContinue = body?.Length > 60_000;
        foreach (var (name, value) in headers.Append(("Authorization", authorization ?? "")).Where(static header => header.Item2.Length > 0))
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        var watch = Stopwatch.StartNew();
        using var answer = await Anonymous.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new HostileReply(
            (int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, text, watch.Elapsed, answer.Headers.Contains("X-Content-Type-Options"), path.StartsWith("/u/", StringComparison.Ordinal) || path.StartsWith("/openapi/", StringComparison.Ordinal));
    }

    /// <summary>Everything a caller can make, as lists show it.</summary>
    public async Task<string> StoredAsync()
    {
        var lists = new List<string>();
        foreach (var name in (string[])["providers", "campaigns", "recipients", "lists", "keys"])
        {
            var reply = await SendAsync("GET", $"/v1/{name}?limit=500");
            Assert.True(reply.IsSuccess, $"{name}: {reply.Body} {string.Join('\n', Errors)}");
            lists.Add(reply.Body);
        }

        return string.Join('\n', lists);
    }

    /// <summary>After all the bad requests a good one is answered, and nothing was logged as an error.</summary>
    public async Task StandsAsync(IReadOnlyCollection<string> failures)
    {
        var errors = Errors.ToArray();
        Errors.Clear();
        Assert.True(failures.Count == 0, $"{failures.Count} wrong:\n{string.Join('\n', failures.Take(60))}\n{string.Join('\n', errors.Take(10))}");
        Assert.Empty(errors);
        Assert.Equal(200, (await SendAsync("GET", "/health/ready")).Status);
        Assert.Equal(200, (await SendAsync("GET", $"/v1/campaigns/{Campaign}/stats")).Status);
    }

    public async ValueTask DisposeAsync()
    {
        Anonymous.Dispose();
        await Application.DisposeAsync();
    }

    private async Task FillAsync()
    {
        await Made("PUT", $"/v1/recipients/{Email}", """{"attributes": {"plan": "gold"}, "lists": ["News"]}""");
        var provider = Sample(HostileTable.Routes.Single(static route => route.ToString() == "POST /v1/providers"));
        Provider = (long)(await Made("POST", "/v1/providers", provider))["id"]!;
        // Of another provider: the first one's are revoked when its routes are tried.
        CallbackToken = ((string)(await Made("POST", "/v1/providers", provider))["callbackUrl"]!).Split('/')[^1];
        Campaign = (long)(await Made("POST", "/v1/campaigns", Sample(HostileTable.Routes.Single(static route => route.ToString() == "POST /v1/campaigns"))))["id"]!;
        var keys = Application.Services.GetRequiredService<InstallationKeys>().Meta.Select(static key => new MetaKey(key.Id, key.Key));
        UnsubscribeToken = new MessageToken(7, 1, new DateOnly(2026, 1, 1), 1, MessageMeta.DefaultVariant).Format(keys.Last());
    }

    private async Task<JsonNode> Made(string method, string path, string body)
    {
        var reply = await SendAsync(method, path, Encoding.UTF8.GetBytes(body));
        Assert.True(reply.IsSuccess, reply.Body);
        return reply.Json!;
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>One bench for each engine, started when the first test asks.</summary>
public sealed class HostileBenches(PostgresServer server) : IAsyncLifetime
{
    private readonly Dictionary<string, HostileBench> _benches = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<HostileBench> OfAsync(string engine)
    {
        if (!_benches.TryGetValue(engine, out var bench))
        {
            _benches[engine] = bench = await HostileBench.StartAsync(engine, server);
        }

        return bench;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var bench in _benches.Values)
        {
            await bench.DisposeAsync();
        }
    }
}
