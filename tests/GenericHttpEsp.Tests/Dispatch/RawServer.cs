using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GenericHttpEsp.Tests.Dispatch;

/// <summary>A server on loopback whose script speaks bytes, for ESPs that behave badly.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<RawConnection, Task> _script;
    private readonly Task _accepting;
    private int _connections;
    private long _bytes;

    /// <param name="script">Of each connection.</param>
    /// <param name="port">0 takes a free one.</param>
    public RawServer(Func<RawConnection, Task> script, int port = 0)
    {
        _script = script;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Bytes the script has read.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public System.Collections.Concurrent.ConcurrentQueue<string> Heads { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    public void Count(int bytes) => Interlocked.Add(ref _bytes, bytes);

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stopping.Token);
                Interlocked.Increment(ref _connections);
                running.Add(RunAsync(new RawConnection(this, socket, _stopping.Token)));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(running);
        }
    }

    private async Task RunAsync(RawConnection connection)
    {
        using (connection)
        {
            try
            {
                await _script(connection);
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
            {
                // The client has left, or the test is over.
            }
        }
    }
}

internal sealed class RawConnection(RawServer server, Socket socket, CancellationToken stopping) : IDisposable
{
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);

    /// <summary>Reads a head, up to and with the empty line; empty when the client closed.</summary>
    public async Task<string> HeadAsync()
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await _stream.ReadAsync(one, stopping) == 1)
        {
            server.Count(1);
            text.Append((char)one[0]);
        }

        if (text.Length > 0)
        {
            server.Heads.Enqueue(text.ToString());
        }

        return text.ToString();
    }

    public async Task<byte[]> BodyAsync(int length)
    {
        var body = new byte[length];
        await _stream.ReadExactlyAsync(body, stopping);
        server.Count(length);
        return body;
    }

    public async Task SendAsync(string text) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), stopping);

    /// <summary>Until the client closes.</summary>
    public async Task DrainAsync()
    {
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await _stream.ReadAsync(buffer, stopping)) > 0)
        {
            server.Count(count);
        }
    }

    /// <summary>Until the test is over.</summary>
    public async Task HoldAsync() => await Task.Delay(Timeout.Infinite, stopping);

    /// <summary>For a signal of the test, which a failed test never gives.</summary>
    public async Task WaitForAsync(Task signal) => await signal.WaitAsync(stopping);

    public void HalfClose() => socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public void Dispose() => _stream.Dispose();
}
