using GenericHttpEsp.Campaigns;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class AudienceFilterTests
{
    [Theory]
    [InlineData("""{"attribute": "plan", "op": "eq"}""", "/value", "missing")]
    [InlineData("""{"attribute": "plan", "op": "eq", "value": [1]}""", "/value", "a string, a number, a boolean or null")]
    [InlineData("""{"attribute": "plan", "op": "ne", "value": null}""", "/value", "nobody")]
    [InlineData("""{"attribute": "plan", "op": "lt", "value": true}""", "/value", "a string or a number")]
    [InlineData("""{"attribute": "plan", "op": "ge", "value": null}""", "/value", "a string or a number")]
    [InlineData("""{"attribute": "plan", "op": "gt", "value": 1e400}""", "/value", "too large")]
    [InlineData("""{"attribute": "plan", "op": "in", "value": "a"}""", "/value", "1 to 1000")]
    [InlineData("""{"attribute": "plan", "op": "in", "value": []}""", "/value", "1 to 1000")]
    [InlineData("""{"attribute": "plan", "op": "in", "value": ["a", "b", 3]}""", "/value/2", "same type")]
    [InlineData("""{"attribute": "plan", "op": "in", "value": [null]}""", "/value/0", "same type")]
    [InlineData("""{"attribute": "plan", "op": "in", "value": [true, "a\u0000"]}""", "/value/1", "same type")]
    [InlineData("""{"attribute": "plan", "op": "in", "value": ["a", "a\u0000"]}""", "/value/1", "U+0000")]
    [InlineData("""{"attribute": "plan", "op": "exists", "value": "yes"}""", "/value", "true, false or no value")]
    [InlineData("""{"attribute": "plan", "op": "equals", "value": 1}""", "/op", "known are eq, ne")]
    [InlineData("""{"attribute": "plan", "op": "exist"}""", "/op", "did you mean exists?")]
    [InlineData("""{"attribute": "plan", "value": 1}""", "/op", "missing")]
    [InlineData("""{"attribute": 5, "op": "exists"}""", "/attribute", "name of an attribute")]
    [InlineData("""{"attribute": "", "op": "exists"}""", "/attribute", "1 to 200")]
    [InlineData("""{"attribute": "a\u0000", "op": "exists"}""", "/attribute", "U+0000")]
    [InlineData("""{"attribute": "a", "op": "eq", "value": "\ud800"}""", "/value", "surrogate")]
    [InlineData("""{"attribute": "a", "op": "exists", "\ud800": 1}""", "", "surrogate")]
    [InlineData("""{"attribute": "a", "op": "exists", "vlaue": true}""", "/vlaue", "did you mean value?")]
    [InlineData("""{"attribute": "a", "op": "exists", "x/y~z": true}""", "/x~1y~0z", "known are attribute")]
    [InlineData("""{"attribute": "a", "op": "exists", "op": "exists"}""", "/op", "twice")]
    [InlineData("""{"list": "a", "op": "eq"}""", "/op", "attribute only")]
    [InlineData("""{"list": null}""", "/list", "name of a list")]
    [InlineData("""{"list": "a", "not": {"list": "b"}}""", "", "exactly one")]
    [InlineData("{}", "", "exactly one")]
    [InlineData("[]", "", "object")]
    [InlineData("""{"and": []}""", "/and", "at least one")]
    [InlineData("""{"or": {"list": "a"}}""", "/or", "at least one")]
    [InlineData("""{"not": [{"list": "a"}]}""", "/not", "object")]
    public void Filter_WithOneMistake_IsRefusedAtItsPlace(string filter, string at, string message)
    {
        var (parsed, errors) = Parse(filter);

        Assert.Null(parsed);
        var (place, messages) = Assert.Single(errors);
        Assert.Equal("/audience/filter" + at, place);
        Assert.Contains(message, Assert.Single(messages), StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_WithManyMistakes_NamesThemAll()
    {
        var (_, errors) = Parse("""{"and": [{"attribute": "a", "op": "x", "value": 1}, {"or": [{"list": 1}, {"list": "ok"}]}, {"nto": {}}]}""");

        Assert.Equal(
            ["/audience/filter/and/0/op", "/audience/filter/and/1/or/0/list", "/audience/filter/and/2", "/audience/filter/and/2/nto"],
            errors.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("did you mean not?", errors["/audience/filter/and/2/nto"][0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(9, false)]
    public void Filter_AsDeepAs_IsBounded(int depth, bool allowed)
    {
        var filter = string.Concat(Enumerable.Repeat("""{"not": """, depth - 1)) + """{"list": "a"}""" + new string('}', depth - 1);
        Assert.Equal(allowed, Parse(filter).Filter is not null);
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    [InlineData(20_000, false)]
    public void Filter_OfSoManyTerms_IsBounded(int terms, bool allowed)
    {
        var (filter, errors) = Parse($$"""{"or": [{{string.Join(',', Enumerable.Repeat("""{"list": "a"}""", terms))}}]}""");

        Assert.Equal(allowed, filter is not null);
        Assert.Equal(allowed ? [] : ["/audience/filter/or/100"], errors.Keys);
    }

    [Fact]
    public void Filter_WithNothingRight_HasABoundedAnswer() =>
        Assert.Equal(AudienceErrors.ErrorsMax, Parse($$"""{"or": [{{string.Join(',', Enumerable.Repeat("1", 20_000))}}]}""").Errors.Count);

    [Fact]
    public void Audience_WithNotExactlyOneMember_IsRefused()
    {
        Assert.Equal(["/audience"], AudienceFilter.Parse(new AudienceContract()).Errors.Keys);
        Assert.Equal(["/audience"], AudienceFilter.Parse(new AudienceContract { All = true, List = "a" }).Errors.Keys);
        Assert.Equal(["/audience"], AudienceFilter.Parse(new AudienceContract { Filter = JsonRead.Element("null") }).Errors.Keys);
        Assert.Equal(["/audience/all"], AudienceFilter.Parse(new AudienceContract { All = false }).Errors.Keys);
        Assert.Equal(["/audience/list"], AudienceFilter.Parse(new AudienceContract { List = "" }).Errors.Keys);
    }

    [Fact]
    public void Audience_AllOrList_IsTaken()
    {
        Assert.Equal(AudienceFilter.Everyone, AudienceFilter.Parse(new AudienceContract { All = true }).Filter);
        Assert.Equal(new AudienceCondition.InList("a"), AudienceFilter.Parse(new AudienceContract { List = "a" }).Filter!.Condition);
    }

    private static (AudienceFilter? Filter, IReadOnlyDictionary<string, string[]> Errors) Parse(string filter) =>
        AudienceFilter.Parse(new AudienceContract { Filter = JsonRead.Element(filter) });
}
