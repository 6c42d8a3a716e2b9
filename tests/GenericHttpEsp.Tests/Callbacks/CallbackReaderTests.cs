using System.Diagnostics;
using System.Text;
using GenericHttpEsp.Callbacks;

namespace GenericHttpEsp.Tests.Callbacks;

public sealed class CallbackReaderTests
{
    private const string Event = """{"type":"spam","email":"a@x.org","meta":"m"}""";

    /// <summary>F26: what is refused as a whole.</summary>
    public static TheoryData<string, string> Refused => new()
    {
        { "", "not a callback" },
        { "nonsense", "not a callback" },
        { "5", "neither an object" },
        { "null", "neither an object" },
        { "{}", "version" },
        { """{"events":{"failed":[EVENT]}}""", "version" },
        { """{"version":"v1","events":{"failed":[EVENT]}}""", "version" },
        { """{"version":"V2","events":{"failed":[EVENT]}}""", "version" },
        { """{"version":2,"events":{"failed":[EVENT]}}""", "version" },
        { """{"version":"v2"}""", "events" },
        { """{"version":"v2","events":[]}""", "not an object" },
        { """{"version":"v2","events":null}""", "not an object" },
        { """{"version":"v2","events":{}}""", "no events" },
        { """{"version":"v2","events":{"failed":[],"clicked":[]}}""", "no events" },
        { """{"version":"v2","events":{"failed":EVENT}}""", "not an array" },
        { """{"version":"v2","events":{"failed":[EVENT]}} {}""", "not a callback" },
        { """{"version":"v2","events":{"failed":[EVENT,]}}""", "not a callback" },
        { """/* */{"version":"v2","events":{"failed":[EVENT]}}""", "not a callback" },
        { """{"version":"v2","version":"v2","events":{"failed":[EVENT]}}""", "twice" },
        { """{"version":"v2","events":{"failed":[EVENT]},"events":{}}""", "twice" },
        { """{"version":"v2","events":{"failed":[EVENT],"failed":[]}}""", "twice" },
        { """{"version":"v2","events":{"failed":[{"type":"spam","type":"spam","email":"a@x.org","meta":"m"}]}}""", "twice" },
        { """{"version":"v2","events":{"failed":[{"type":"spam","\u0074ype":"spam","email":"a@x.org","meta":"m"}]}}""", "twice" },
        { """{"version":"v2","more":[{"deep":[{"a":1,"a":2}]}],"events":{"failed":[EVENT]}}""", "twice" },
        { """{"version":"v2","\ud800":1,"events":{"failed":[EVENT]}}""", "not Unicode" },
        { """{"version":"v2","events":{"failed":[{"type":"spam","email":"a@x.org"}]}}""", "lacks a required key" },
        { """{"version":"v2","events":{"failed":[{"type":"spam","email":null,"meta":"m"}, 5, []]}}""", "lacks a required key" },
        { """{"version":"v2","events":{"failed":[{"type":"spam","email":"a@x.org","meta":"m","timestamp":NaN}]}}""", "not a callback" },
        { "[]", "no events" },
        { "[5]", "not an object" },
        { """[{"event":"hardbounce"}]""", "no events" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Body_NotAsSpecified_IsRefusedWithTheReason(string body, string reason)
    {
        Assert.Null(CallbackReader.Read(Bytes(body), out var refusal));
        Assert.Contains(reason, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Body_WithInvalidUtf8_IsRefused()
    {
        var bytes = Bytes("""{"version":"v2","ignored":"?","events":{"failed":[EVENT]}}""");
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;
        Assert.Null(CallbackReader.Read(bytes, out var refusal));
        Assert.Contains("UTF-8", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", 100_000)]
    [InlineData("{\"a\":", 100_000)]
    [InlineData("{\"version\":\"v2\",\"x\":[[[[", 30_000)]
    public void Body_DeeperThanAnyCallback_IsRefusedAtOnce(string open, int times)
    {
        var body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(open, times)));
        var watch = Stopwatch.StartNew();
        Assert.Null(CallbackReader.Read(body, out _));
        Assert.True(watch.ElapsedMilliseconds < 500);
    }

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void Events_MoreThanAThousand_AreRefused(int events, bool taken)
    {
        var half = string.Join(',', Enumerable.Repeat(Event, events / 2));
        var rest = string.Join(',', Enumerable.Repeat(Event, events - (events / 2)));
        var body = CallbackReader.Read(Bytes("""{"events":{"failed":[HALF],"clicked":[REST]},"version":"v2"}""".Replace("HALF", half, StringComparison.Ordinal).Replace("REST", rest, StringComparison.Ordinal)), out var refusal);
        Assert.Equal(taken, body is not null);
        Assert.Equal(taken ? null : true, refusal?.Contains("more than 1000", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"m","timestamp":"1730714617"}""", "timestamp")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"m","timestamp":-1}""", "timestamp")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"m","timestamp":1e300}""", "timestamp")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"m","timestamp":1730714617000}""", "timestamp")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"m","timestamp":{"a":[1]}}""", "timestamp")]
    [InlineData("""{"type":5,"email":"a@x.org","meta":"m"}""", "type")]
    [InlineData("""{"type":"spam","email":["a@x.org"],"meta":"m"}""", "email")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":{}}""", "meta")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":""}""", "meta")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"\ud800"}""", "meta")]
    [InlineData("""{"type":"spam","email":"a@x.org","meta":"m","description":7}""", "description")]
    [InlineData("""{"type":"spam","email":"a@x.org"}""", "meta")]
    [InlineData("7", "object")]
    public void Event_ThatCannotBeRead_HasItsErrorAndTheOthersNone(string bad, string reason)
    {
        var body = CallbackReader.Read(Bytes("""{"version":"v2","events":{"failed":[EVENT,BAD,EVENT]}}""".Replace("BAD", bad, StringComparison.Ordinal)), out _);
        Assert.Equal([null, body!.Events[1].Error, null], body.Events.Select(static one => one.Error));
        Assert.Contains(reason, body.Events[1].Error, StringComparison.Ordinal);
        Assert.Equal([0, 1, 2], body.Events.Select(static one => one.Index));
    }

    [Fact]
    public void Event_WithMoreThanIsKnown_IsRead()
    {
        const string Json = """
            {"version":"v2","sender":{"a":[1,{"b":null}],"c":{}},"events":{"clicked":[
              {"type":"clicked","email":"a@x.org","meta":"m","description":"d","timestamp":1730714617.9,"ip":"::1","geo":[{"x":1},[2]]}]}}
            """;
        var one = Assert.Single(CallbackReader.Read(Encoding.UTF8.GetBytes("\uFEFF" + Json), out _)!.Events);
        Assert.Equal(("clicked", "a@x.org", "m", "d", 1730714617L, null), (one.Type, one.Email, one.Meta, one.Description, one.Timestamp, one.Error));
    }

    private static byte[] Bytes(string body) => Encoding.UTF8.GetBytes(body.Replace("EVENT", Event, StringComparison.Ordinal));

    [Fact]
    public void Version1_IsRead()
    {
        const string Json =
            """[{"event":"hardbounce","data":[{"e":"a@x.org","ts":1730714617},{"e":"b@x.org"}]},{"event":"opened","data":[{"e":"c@x.org"},{"x":1}]}]""";
        var events = CallbackReader.Read(Encoding.UTF8.GetBytes(Json), out _)!.Events;
        Assert.Equal([("hard_bounce", "a@x.org", 1730714617L), ("hard_bounce", "b@x.org", 0L)], events.Take(2).Select(static one => (one.Type!, one.Email!, one.Timestamp)));
        Assert.Equal([true, true, false, false], events.Select(static one => one.Error is null));
        Assert.All(events, static one => Assert.True(one.IsVersion1));
    }
}
