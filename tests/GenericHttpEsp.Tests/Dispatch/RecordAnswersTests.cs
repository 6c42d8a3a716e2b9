using System.Text;
using System.Text.Json;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class RecordAnswersTests
{
    private static readonly MetaKeyRing Keys = new([new MetaKey('a', new byte[32])]);
    private static readonly SentRecord[] Sent = [new(11, "Ann@Example.com"), new(12, "bob@example.com"), new(13, "c@example.com")];

    [Fact]
    public void Postmark_ByPosition_IsReadRecordByRecord() => Assert.Equal(
        [RecordOutcome.Accepted, RecordOutcome.Refused, RecordOutcome.Accepted],
        Read("""[{"ErrorCode":0,"To":"x"},{"ErrorCode":406,"Message":"inactive"},{"ErrorCode":0}]""", Rule("", "position", null, "ErrorCode", "0")));

    [Fact]
    public void Mailjet_UnderAKey_IsReadRecordByRecord() => Assert.Equal(
        [RecordOutcome.Accepted, RecordOutcome.Accepted, RecordOutcome.Refused],
        Read(
            """{"Messages":[{"Status":"success"},{"Status":"success"},{"Status":"error","Errors":[{}]}]}""",
            Rule("Messages", "position", null, "Status", "\"success\"")));

    [Fact]
    public void Results_ByEmail_InAnyOrder_LeaveWhomTheyDoNotMentionToCome() => Assert.Equal(
        [RecordOutcome.Accepted, RecordOutcome.ToCome, RecordOutcome.Refused],
        Read(
            """{"results":[{"to":{"email":"C@example.com"},"ok":false},{"to":{"email":"ann@example.COM"},"ok":true},{"to":{"email":"who@else"},"ok":true}]}""",
            Rule("results", "email", "to.email", "ok", "true")));

    [Fact]
    public void Results_ByMeta_TrustOnlyTheSignature()
    {
        var meta = new MessageMeta("bob@example.com", 1, 2, new DateOnly(2026, 11, 24), 1, MessageMeta.DefaultVariant, 12);
        var signed = meta.Format(Keys.Current);
        var forged = (meta with { Recipient = 13 }).Format(Keys.Current)[..^2] + "AA";
        Assert.Equal(
            [RecordOutcome.ToCome, RecordOutcome.Accepted, RecordOutcome.ToCome],
            Read(
                $$"""[{"m":{{JsonSerializer.Serialize(forged)}},"ok":1},{"m":{{JsonSerializer.Serialize(signed)}},"ok":1}]""",
                Rule("", "meta", "m", "ok", "1")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("""{"Messages":[{"Status":"success"}""")]
    [InlineData("""{"Messages":"none"}""")]
    [InlineData("""{"Messages":[{"Status":"success"}]}""")]
    public void Answer_ThatCannotBeTold_IsNull(string body) => Assert.Null(Read(body, Rule("Messages", "position", null, "Status", "\"success\"")));

    private static RecordOutcome[]? Read(string body, RecordsContract rule) => RecordAnswers.Read(Encoding.UTF8.GetBytes(body), rule, Sent, Keys);

    private static RecordsContract Rule(string path, string by, string? id, string accepted, string equals) =>
        new(path, by, id, new AcceptedContract(accepted, JsonDocument.Parse(equals).RootElement));
}
