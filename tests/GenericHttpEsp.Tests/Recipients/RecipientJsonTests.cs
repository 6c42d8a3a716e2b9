using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class RecipientJsonTests
{
    [Fact]
    public void Read_OfAWholeLine_KeepsNumbersAndText()
    {
        var row = Read("""{"email":"a@b.c","attributes":{"n":1.50,"big":123456789012345678901,"t":"\u00fc\ud83d\ude00<","o":{"x":null},"gone":null},"lists":["A"],"timeZone":"Europe/Berlin"}""", out _);

        Assert.Equal("""{"n":1.50,"big":123456789012345678901,"t":"ü\uD83D\uDE00<","o":{"x":null},"gone":null}""", row!.Attributes);
        Assert.Equal(["A"], row.Lists!);
        Assert.Equal("Europe/Berlin", row.TimeZone);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("[]", "")]
    [InlineData("{", "")]
    [InlineData("""{"email":"a@b.c"} {}""", "")]
    [InlineData("""{"email":"a@b.c","email":"a@b.c"}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"o":{"a":1,"\u0061":2}}}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"x":"\ud800"}}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"x":"\u0000"}}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"\udc00":1}}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"x":1e999}}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"x":0.000000000000000000000000000000000001}}""", "")]
    [InlineData("""{"email":"a@b.c","attributes":{"":1}}""", "/attributes/")]
    [InlineData("""{"email":"a@b.c","attributes":[1]}""", "/attributes")]
    [InlineData("""{"email":"a@b.c","lists":"A"}""", "/lists")]
    [InlineData("""{"email":"a@b.c","lists":["A",""]}""", "/lists/1")]
    [InlineData("""{"email":"a@b.c","timeZone":"Mars/North"}""", "/timeZone")]
    [InlineData("""{"email":"a@b.c","emial":1}""", "/emial")]
    [InlineData("""{"email":7}""", "/email")]
    [InlineData("""{"attributes":{}}""", "/email")]
    public void Read_OfABrokenLine_NamesThePlace(string line, string place)
    {
        Assert.Null(Read(line, out var errors));
        Assert.Equal(place, Assert.Single(errors).Pointer);
    }

    [Fact]
    public void Read_OfInvalidUtf8_SaysSo()
    {
        var errors = new List<RowError>();
        Assert.Null(RecipientJson.Read(Encoding.Latin1.GetBytes("""{"email":"ü@b.c"}"""), null, errors, out _));
        Assert.Contains("UTF-8", Assert.Single(errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void Attributes_DeeperThanTheLimit_AreRefused(int depth, bool valid)
    {
        // The object of the attributes is the first level.
        var nested = string.Concat(Enumerable.Repeat("[", depth - 1)) + string.Concat(Enumerable.Repeat("]", depth - 1));
        Assert.Equal(valid, Read($$$"""{"email":"a@b.c","attributes":{"x":{{{nested}}}}}""", out _) is not null);
    }

    [Fact]
    public void Attributes_LargerThanTheLimit_AreRefused()
    {
        Assert.NotNull(Read($$$"""{"email":"a@b.c","attributes":{"x":"{{{new string('a', 65_000)}}}"}}""", out _));
        Assert.Null(Read($$$"""{"email":"a@b.c","attributes":{"x":"{{{new string('a', 66_000)}}}"}}""", out _));
    }

    [Fact]
    public void Merge_OfManyAttributes_ReplacesRemovesAndAdds()
    {
        Assert.Equal("""{"a":1,"c":[3],"d":4}""", AttributesJson.Merge("""{"a":1,"b":2,"c":2}""", """{"b":null,"c":[3],"d":4,"e":null}"""));
        Assert.Equal("""{"a":1}""", AttributesJson.First("""{"a":1,"b":null}"""));
    }

    [Property]
    public Property Merge_OfTwoRowsAtOnce_IsTheSameAsOneAfterTheOther() => Prop.ForAll(Objects().ToArbitrary(), Objects().ToArbitrary(), Objects().ToArbitrary(), (stored, first, second) =>
    {
        var kept = AttributesJson.First(stored);
        var together = AttributesJson.Merge(kept, AttributesJson.Combine(first, second));
        var apart = AttributesJson.Merge(AttributesJson.Merge(kept, first), second);
        return JsonElement.DeepEquals(JsonElement.Parse(together), JsonElement.Parse(apart));
    });

    private static Gen<string> Objects() =>
        from values in Gen.Elements("1", "null", "\"x:null\"", "{\"n\":null}", "[null]").ArrayOf(4)
        from present in Gen.Elements(true, false).ArrayOf(4)
        select $"{{{string.Join(',', values.Index().Where(pair => present[pair.Index]).Select(pair => $"\"k{pair.Index}\":{pair.Item}"))}}}";

    private static RecipientRow? Read(string line, out List<RowError> errors) =>
        RecipientJson.Read(Encoding.UTF8.GetBytes(line), null, errors = [], out _);
}
