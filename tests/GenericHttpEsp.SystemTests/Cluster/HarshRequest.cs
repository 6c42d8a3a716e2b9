using System.Text.Json.Nodes;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Dispatch;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>What a request suffers.</summary>
/// <param name="Name">In failures.</param>
/// <param name="Play">After the body was read. Answers whether the connection goes on.</param>
internal sealed record HarshAct(string Name, Func<HarshRequest, Task<bool>> Play)
{
    /// <summary>False: the act begins when the head is here.</summary>
    public bool ReadsBody { get; init; } = true;

    /// <summary>What becomes of its people by the documentation; null when it may be told again.</summary>
    public RecordOutcome? Expected { get; init; }
}

/// <summary>A request, as far as it came.</summary>
/// <param name="number">By the arrival of heads, from 1.</param>
/// <param name="connection">Its own, after earlier requests.</param>
internal sealed class HarshRequest(int number, RawConnection connection)
{
    public int Number => number;

    public RawConnection Connection => connection;

    public HarshAct Act { get; set; } = null!;

    public DateTimeOffset Arrived { get; } = TimeProvider.System.GetUtcNow();

    /// <summary>When the answer began, before its first byte.</summary>
    public DateTimeOffset? Answered { get; private set; }

    /// <summary>When the act was over: the answer was sent, or the client had left.</summary>
    public DateTimeOffset? Ended { get; private set; }

    public string? Key { get; private set; }

    /// <summary>Empty when the body was not read.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    /// <summary>The ESP has everybody in it, whatever it answers.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Bytes of the answer that the connection took.</summary>
    public long AnswerBytes { get; private set; }

    public void Take() => IsTaken = true;

    public async Task SendAsync(string text)
    {
        Answered ??= TimeProvider.System.GetUtcNow();
        await connection.SendAsync(text);
        AnswerBytes += text.Length;
    }

    public void Read(JsonNode body)
    {
        Key = (string)body["key"]!;
        Addresses = [.. body["msgs"]!.AsArray().Select(static record => (string)record!["to"]!)];
    }

    public void End() => Ended = TimeProvider.System.GetUtcNow();
}
