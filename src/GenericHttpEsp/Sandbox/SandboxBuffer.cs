using System.Buffers;
using System.IO.Compression;

namespace GenericHttpEsp.Sandbox;

/// <summary>A whole body in a pooled array. Dispose gives the array back.</summary>
internal sealed class SandboxBuffer : IDisposable
{
    private const int FirstBytes = 1 << 16;

    private byte[] _bytes;
    private int _length;

    private SandboxBuffer(int size) => _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(size, 1));

    public ReadOnlySpan<byte> Body => _bytes.AsSpan(0, _length);

    /// <summary>Reads to the end. Null when the body, with gzip taken off, is longer than the bound.</summary>
    /// <exception cref="InvalidDataException">Broken gzip.</exception>
    public static async Task<SandboxBuffer?> ReadAsync(HttpRequest request, long bytesMax, CancellationToken cancellationToken)
    {
        if (!IsGzip(request))
        {
            return await FillAsync(request.Body, (request.ContentLength ?? FirstBytes) + 1, bytesMax, cancellationToken);
        }

        await using var unzipped = new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true);
        return await FillAsync(unzipped, FirstBytes, bytesMax, cancellationToken);
    }

    public static bool IsGzip(HttpRequest request) => request.Headers.ContentEncoding.ToString().Equals("gzip", StringComparison.OrdinalIgnoreCase);

    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes);

    private static async Task<SandboxBuffer?> FillAsync(Stream from, long expected, long bytesMax, CancellationToken cancellationToken)
    {
        var buffer = new SandboxBuffer((int)Math.Min(expected, bytesMax + 1));
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer.Free(), cancellationToken)) > 0)
            {
                buffer._length += read;
                if (buffer._length > bytesMax)
                {
                    buffer.Dispose();
                    return null;
                }
            }

            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private Memory<byte> Free()
    {
        if (_length == _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_bytes.Length * 2);
            Body.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsMemory(_length);
    }
}
