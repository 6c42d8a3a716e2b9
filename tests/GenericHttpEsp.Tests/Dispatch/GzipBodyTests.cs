using System.IO.Compression;
using System.Security.Cryptography;
using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class GzipBodyTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData(0, true)]
    [InlineData(10, true)]
    [InlineData(3_000_000, true)]
    [InlineData(65_536, false)]
    [InlineData(300_000, false)]
    public async Task Post_Compressed_ArrivesWholeAndIsCountedExactly(int bytes, bool compressible)
    {
        byte[] plain = compressible ? [.. Enumerable.Repeat((byte)'a', bytes)] : RandomNumberGenerator.GetBytes(bytes);
        var (length, unpacked) = (0, Array.Empty<byte>());
        await using var server = new RawServer(async connection =>
        {
            length = LengthOf(await connection.HeadAsync());
            unpacked = Unpacked(await connection.BodyAsync(length));
            await connection.SendAsync(Ok);
            await connection.DrainAsync();
        });
        using var client = new TestClient();
        var request = TestClient.Post($"http://127.0.0.1:{server.Port}/", [plain.AsMemory(0, bytes / 3), plain.AsMemory(bytes / 3)]) with { Gzip = true };

        var answer = await client.SendAsync(request);

        Assert.Equal((EspAnswerKind.Answered, (long)length, true), (answer.Kind, answer.BytesHandedOver, answer.BodyReleased));
        Assert.Equal(plain, unpacked);
        Assert.True(!compressible || bytes < 1000 || length < bytes / 10);
        Assert.Equal(server.Heads.Single().Length + length, server.Bytes);
    }

    [Fact]
    public async Task Gate_ShutBeforeTheFirstByte_PutsNothingOnTheWire()
    {
        await using var server = new RawServer(async connection => await connection.DrainAsync());
        using var client = new TestClient();
        using var gate = client.Open();
        gate.TryClose();

        var answer = await client.SendAsync(TestClient.Post($"http://127.0.0.1:{server.Port}/", [new byte[100_000]]) with { Gzip = true }, gate);

        Assert.Equal((EspAnswerKind.GateMissed, 0L, true, 0L), (answer.Kind, answer.BytesHandedOver, answer.BodyReleased, server.Bytes));
    }

    private static int LengthOf(string head) =>
        int.Parse(head.Split("\r\n").Single(line => line.StartsWith("Content-Length:", StringComparison.Ordinal))[15..], System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Unpacked(byte[] packed)
    {
        using var output = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        gzip.CopyTo(output);
        return output.ToArray();
    }
}
