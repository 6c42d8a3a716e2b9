using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;
using GenericHttpEsp.Tests.Dispatch;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>An ESP that speaks bytes, for what the sandbox is too polite for. Its log, in the sandbox's words, is a judge of its own.</summary>
internal sealed class HarshEsp : IAsyncDisposable
{
    private readonly Func<HarshRequest, HarshAct> _plan;
    private readonly ConcurrentQueue<HarshRequest> _requests = [];
    private readonly RawServer _server;
    private int _count;
    private int _open;
    private int _openMost;

    /// <param name="plan">What a request suffers; asked when its head is here, before its body is read.</param>
    /// <param name="port">0 takes a free one.</param>
    public HarshEsp(Func<HarshRequest, HarshAct> plan, int port = 0)
    {
        _plan = plan;
        _server = new RawServer(ServeAsync, port);
    }

    public string Endpoint => $"http://127.0.0.1:{_server.Port}/send";

    /// <summary>In the order of their heads.</summary>
    public IReadOnlyList<HarshRequest> Requests => [.. _requests];

    /// <summary>Connections that were open at once.</summary>
    public int OpenMost => Volatile.Read(ref _openMost);

    /// <summary>Whom it took, for <see cref="FireVerdict"/>.</summary>
    public IReadOnlyList<SandboxEntry> Log() =>
    [
        .. _requests.Select(static request => new SandboxEntry(SandboxEntryKind.End, request.Number)
        {
            Addresses = request.Addresses,
            Accepted = request.IsTaken ? request.Addresses.Count : 0,
            BatchKey = request.Key,
        }),
    ];

    /// <summary>
    /// No request came twice: whatever befell a connection, nobody but the ledger sends again, and then under a key of its own. What each act says of its
    /// people, the ledger says too.
    /// </summary>
    public async Task HoldsAsync(ClusterBench bench, long campaign)
    {
        var requests = Requests;
        var keys = requests.Where(static request => request.Key is not null && request.Act.Expected is not null).GroupBy(static request => request.Key);
        Assert.All(keys, static key => Assert.Single(key));
        var ledger = await FireLedger.ReadAsync(bench, campaign);
        foreach (var request in requests.Where(static request => request.Act.Expected is not null))
        {
            Assert.All(request.Addresses, address => Assert.Equal((request.Act.Name, request.Act.Expected), (request.Act.Name, ledger.Outcomes[address])));
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(RawConnection connection)
    {
        Count(Interlocked.Increment(ref _open));
        try
        {
            while (await connection.HeadAsync() is { Length: > 0 } head && await ServeAsync(connection, head))
            {
                // The next request of a kept connection.
            }
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<bool> ServeAsync(RawConnection connection, string head)
    {
        var request = new HarshRequest(Interlocked.Increment(ref _count), connection);
        request.Act = _plan(request);
        _requests.Enqueue(request);
        try
        {
            if (request.Act.ReadsBody)
            {
                request.Read(JsonNode.Parse(await connection.BodyAsync(Length(head)))!);
            }

            return await request.Act.Play(request);
        }
        finally
        {
            request.End();
        }
    }

    private static int Length(string head) => int.Parse(
        head.Split("\r\n").Single(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)).Split(':')[1], CultureInfo.InvariantCulture);

    private void Count(int open)
    {
        for (var most = OpenMost; open > most; most = OpenMost)
        {
            Interlocked.CompareExchange(ref _openMost, open, most);
        }
    }
}
