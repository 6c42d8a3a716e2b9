using System.Text;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class SandboxLogTests : SandboxTest
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"sandbox-{Guid.NewGuid():n}.ndjson");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        File.Delete(_path);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Head_IsLoggedBeforeAnyByteOfTheBodyArrives()
    {
        var body = Encoding.UTF8.GetBytes(Batch("a@x.test"));
        var (connection, stream) = await ConnectAsync(Host);
        using var _ = connection;
        await stream.WriteAsync(Head(body.Length), Cancel);

        var head = await EntryAsync(SandboxEntryKind.Head, 1);
        Assert.Equal(1, Host.Summary().OpenRequests);
        using var overtaking = await PostAsync(Batch("b@x.test"));
        await stream.WriteAsync(body, Cancel);
        var end = await EntryAsync(SandboxEntryKind.End, 1);
        var other = await EntryAsync(SandboxEntryKind.Head, 2);
        var otherEnd = await EntryAsync(SandboxEntryKind.End, 2);

        Assert.Equal("/send", head.Path);
        Assert.True(head.Sequence < other.Sequence && other.Sequence < otherEnd.Sequence && otherEnd.Sequence < end.Sequence);
        Assert.True(head.MonotonicMicroseconds <= other.MonotonicMicroseconds);
        Assert.Equal(["a@x.test"], end.Addresses);
    }

    [Fact]
    public async Task Request_WhoseSenderLeaves_IsAbortedAndTakesNothing()
    {
        var (connection, stream) = await ConnectAsync(Host);
        await stream.WriteAsync(Head(1000), Cancel);
        await EntryAsync(SandboxEntryKind.Head, 1);

        connection.Client.LingerState = new(true, 0);
        connection.Dispose();

        await EntryAsync(SandboxEntryKind.Aborted, 1);
        await Host.WaitForOpenRequestsAsync(0, Cancel);
        Assert.Equal(0, Host.Summary().MessagesAccepted);
    }

    [Fact]
    public async Task File_HasTheEndBeforeTheAnswerLeaves_AndIsContinued()
    {
        var first = await StartAsync(new() { LogPath = _path });
        for (var n = 1; n <= 20; n++)
        {
            using var answer = await PostAsync(Batch($"p+{n}@x.test"), first);
            Assert.Contains($"\"p+{n}@x.test\"", await ReadFileAsync(), StringComparison.Ordinal);
        }

        await EntryAsync(SandboxEntryKind.Answered, 20, first);
        await first.DisposeAsync();
        await File.AppendAllTextAsync(_path, "{\"kind\":\"head\",\"requ", Cancel);
        var second = await StartAsync(new() { LogPath = _path });
        using var later = await PostAsync(Batch("z@x.test"), second);

        var head = await EntryAsync(SandboxEntryKind.Head, 21, second);
        Assert.Equal(61, head.Sequence);
    }

    [Fact]
    public async Task Entries_ForgottenInMemory_AreReadFromTheFile()
    {
        var host = await StartAsync(new() { LogPath = _path, LogEntriesMax = 16 });
        for (var n = 1; n <= 20; n++)
        {
            using var answer = await PostAsync(Batch($"p{n}@x.test"), host);
            await EntryAsync(SandboxEntryKind.Answered, n, host);
        }

        var lines = (await Client.GetStringAsync(new Uri(host.Address, "/_sandbox/log?after=2"), Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(16, host.Entries().Count);
        Assert.Equal(44, host.Summary().EntriesForgotten);
        Assert.Equal(Enumerable.Range(3, 58), lines.Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("sequence").GetInt32()));
    }

    [Fact]
    public async Task Entries_OfManyRequestsAtOnce_AreInOneOrderInMemoryAndFile()
    {
        var host = await StartAsync(new() { LogPath = _path });

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async n => (await PostAsync(Batch($"p{n}@x.test"), host)).Dispose()));
        await host.WaitForOpenRequestsAsync(0, Cancel);

        var entries = host.Entries();
        Assert.Equal(Enumerable.Range(1, 600).Select(n => (long)n), entries.Select(entry => entry.Sequence));
        Assert.Equal(entries.Select(entry => entry.MonotonicMicroseconds).Order(), entries.Select(entry => entry.MonotonicMicroseconds));
        Assert.Equal(200, host.Summary().DistinctAddresses);
        await host.DisposeAsync();
        var lines = (await ReadFileAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(entries.Select(entry => entry.Sequence), lines.Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("sequence").GetInt64()));
    }

    [Fact]
    public async Task Summary_CountsWhatWasTakenTwice()
    {
        foreach (var body in (string[])[Batch("a@x.test", "b@x.test"), Batch("A@x.test"), Batch("a@x.test")])
        {
            using var answer = await PostAsync(body);
        }

        var summary = Host.Summary();
        Assert.Equal(4, summary.MessagesAccepted);
        Assert.Equal(2, summary.DistinctAddresses);
        Assert.Equal(1, summary.RepeatedAddresses);
        Assert.Equal(3, Assert.Single(summary.RepeatedAddressCounts).Value);
        Assert.Equal(2, summary.RepeatedMessageIdCounts[Meta("a@x.test")]);
    }

    [Fact]
    public async Task Addresses_NotKept_AreCountedOnly()
    {
        var host = await StartAsync(new() { KeepAddresses = false, KeepBodies = 0 });

        using var answer = await PostAsync(Batch("a@x.test", "b@x.test"), host);

        var end = await EntryAsync(SandboxEntryKind.End, 1, host);
        Assert.Null(end.Addresses);
        Assert.Equal(2, end.Accepted);
        Assert.Empty(host.Bodies);
        Assert.Equal(0, host.Summary().DistinctAddresses);
    }

    private async Task<string> ReadFileAsync()
    {
        await using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync(Cancel);
    }
}
