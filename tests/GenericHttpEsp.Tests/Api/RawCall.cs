using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GenericHttpEsp.Tests.Api;

/// <summary>A call whose body is made while it is sent, and stops when the answer comes.</summary>
internal static class RawCall
{
    /// <param name="chunked">Does not say its length beforehand.</param>
    /// <returns>The status, 0 when the connection ended without one; and how many bytes of the body had been handed over by then.</returns>
    public static async Task<(int Status, long Sent)> SendAsync(Uri server, string head, long bytes, bool chunked, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port, cancellationToken);
        var stream = client.GetStream();
        var framing = chunked ? "Transfer-Encoding: chunked" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {bytes}");
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{head}\r\nHost: localhost:{server.Port}\r\n{framing}\r\n\r\n"), cancellationToken);
        var answer = StatusAsync(stream, cancellationToken);
        var block = new byte[64 * 1024];
        Array.Fill(block, (byte)'[');
        var sent = 0L;
        try
        {
            for (; sent < bytes && !answer.IsCompleted; sent += block.Length)
            {
                await stream.WriteAsync(chunked ? [.. "10000\r\n"u8, .. block, .. "\r\n"u8] : block, cancellationToken);
            }

            if (chunked && !answer.IsCompleted)
            {
                await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
            }
        }
        catch (IOException)
        {
            // The server closed: its answer has been read, or is being read.
        }

        return (await answer, sent);
    }

    private static async Task<int> StatusAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while (text.Length < 12 && (read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Reset without an answer.
        }

        return text.Length >= 12 ? int.Parse(text.ToString(9, 3), CultureInfo.InvariantCulture) : 0;
    }
}
