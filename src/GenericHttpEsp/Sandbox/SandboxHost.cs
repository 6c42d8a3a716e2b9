using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GenericHttpEsp.Sandbox;

/// <summary>A stand-in ESP on a Kestrel of its own: every path but <c>/_sandbox/...</c> takes mail. Independent of the application around it.</summary>
public sealed class SandboxHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SandboxEsp _esp;
    private int _disposed;

    private SandboxHost(WebApplication app, SandboxEsp esp)
    {
        (_app, _esp) = (app, esp);
        var bound = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Address = IPAddress.TryParse(bound.Host, out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any))
            ? new UriBuilder(bound) { Host = "127.0.0.1" }.Uri
            : bound;
    }

    /// <summary>Where it listens, with the port that was found.</summary>
    public Uri Address { get; }

    /// <summary>May be replaced at any time; a request keeps the behaviour it found at its head.</summary>
    /// <exception cref="ValidationException">A value out of bounds.</exception>
    public SandboxBehaviour Behaviour
    {
        get => _esp.Behaviour;
        set => _esp.Behaviour = SandboxControlApi.Wrong(value) is { } wrong ? throw new ValidationException(wrong) : value;
    }

    /// <summary>The last requests, oldest first (<see cref="SandboxOptions.KeepBodies"/>).</summary>
    public IReadOnlyList<SandboxRequest> Bodies => _esp.Requests.All();

    /// <summary>Starts listening; <paramref name="time"/> rules latencies, delays and the log.</summary>
    /// <exception cref="ValidationException">An option out of bounds.</exception>
    public static async Task<SandboxHost> StartAsync(SandboxOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        if (SandboxControlApi.Wrong(options.Behaviour) is { } wrong)
        {
            throw new ValidationException(wrong);
        }

        var esp = await SandboxEsp.OpenAsync(options, time, cancellationToken);
        var app = Build(options, esp);
        try
        {
            await app.StartAsync(cancellationToken);
            return new SandboxHost(app, esp);
        }
        catch
        {
            await app.DisposeAsync();
            await esp.DisposeAsync();
            throw;
        }
    }

    /// <summary>The verb <c>sandbox</c>: see <see cref="SandboxProgram"/>.</summary>
    public static Task<int> RunAsync(string[] args) => SandboxProgram.RunAsync(args);

    public SandboxSummary Summary() => _esp.Summary();

    /// <summary>Log entries still in memory, after a sequence number.</summary>
    public IReadOnlyList<SandboxEntry> Entries(long after = 0) => _esp.Log.After(after, int.MaxValue);

    /// <summary>The first entry in memory, or to come, that is wanted.</summary>
    public Task<SandboxEntry> WaitForEntryAsync(Func<SandboxEntry, bool> wanted, CancellationToken cancellationToken) =>
        _esp.Log.WaitForAsync(wanted, cancellationToken);

    /// <summary>At least so many requests open; for 0, none.</summary>
    public Task WaitForOpenRequestsAsync(int requests, CancellationToken cancellationToken) => _esp.Signal.UntilAsync(
        () => requests == 0 ? _esp.Log.Open == 0 : _esp.Log.Open >= requests, cancellationToken);

    /// <summary>At least so many requests waiting at the gate; for 0, none.</summary>
    public Task WaitForHeldRequestsAsync(int requests, CancellationToken cancellationToken) => _esp.Signal.UntilAsync(
        () => requests == 0 ? _esp.Gate.Waiting == 0 : _esp.Gate.Waiting >= requests, cancellationToken);

    /// <summary>From now on requests wait at the point until <see cref="Release"/>.</summary>
    public void Hold(SandboxHoldPoint point = SandboxHoldPoint.BeforeAnswer) => _esp.Gate.Hold(point);

    public void Release() => _esp.Gate.Release();

    /// <summary>Until all callbacks are delivered, failed or dropped; the summary says which.</summary>
    public Task WaitForCallbacksAsync(CancellationToken cancellationToken) => _esp.Callbacks.WaitAsync(cancellationToken);

    /// <summary>Posts an event that was not drawn, to the behaviour's URL.</summary>
    /// <exception cref="ValidationException">No URL, or no such type.</exception>
    public void QueueCallback(string type, string email, string meta) => SandboxControlApi.Order(_esp, new SandboxCallbackOrder(type, email, meta));

    /// <summary>Cuts open requests, stops callbacks, finishes the log file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _esp.StopAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _esp.DisposeAsync();
    }

    private static WebApplication Build(SandboxOptions options, SandboxEsp esp)
    {
        // Empty: the addresses, configuration and logging of the application around it are none of ours.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, options));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, SandboxLifetime>();
        var app = builder.Build();
        var endpoint = new SandboxEndpoint(esp);
        app.Use((context, next) => context.Request.Path.StartsWithSegments(SandboxControlApi.Prefix) ? next(context) : endpoint.HandleAsync(context));
        app.UseRouting();
        app.MapSandboxControl(esp);
        return app;
    }

    private static void Limit(KestrelServerOptions kestrel, SandboxOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.BodyBytesMax;
        kestrel.Limits.MaxConcurrentConnections = options.ConnectionsMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 << 10;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        // A GET carries the message in its line.
        kestrel.Limits.MaxRequestLineSize = 64 << 10;
        kestrel.Limits.MaxRequestBufferSize = 1 << 20;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(30);
        // Tests hold bodies back on purpose.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Listen(IPAddress.Parse(options.ListenAddress), options.Port, listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>Signals of the process belong to whoever started the sandbox.</summary>
    private sealed class SandboxLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
