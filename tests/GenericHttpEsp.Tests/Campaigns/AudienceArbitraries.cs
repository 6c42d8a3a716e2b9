using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Some people and some questions about them; values come from small pools, so that questions hit.</summary>
public sealed record AudienceCase(IReadOnlyList<AudiencePerson> People, IReadOnlyList<string> Filters);

/// <summary>Stored attributes and lists of one person.</summary>
public sealed record AudiencePerson(string Attributes, IReadOnlyList<string> Lists);

/// <summary>Generators of <see cref="AudienceCase"/>.</summary>
public static class AudienceArbitraries
{
    private static readonly string[] Lists = ["news", "o'list", "😀"];
    private static readonly Gen<string> Name = Gen.Elements("v", "w", "V", "a.b", "a\"b", "a\\", "$", "[0]", "é").Select(Json);
    private static readonly Gen<string> Text = Gen.Elements("", "5", "a", "A", "ab", "é", "\uffff", "😀", "'", "%", "\\", "true", "null").Select(Json);
    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Elements(
            "0", "-0", "5", "5.0", "-5", "0.1", "1e1", "10", "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808",
            "0.30000000000000004", "0.3", "1e308", "5e-324", "2e-324", "1.7976931348623157e308"),
        ArbMap.Default.GeneratorFor<NormalFloat>().Select(static number => Json(number.Get)));

    private static readonly Gen<string> Bool = Gen.Elements("true", "false");

    // Only stored: a filter may not ask for these.
    private static readonly Gen<string> Stored = Gen.OneOf(Text, Number, Bool, Gen.Elements("null", "[5]", """{"v":5}""", "1e400", "-1e400", "1e-400"));

    private static readonly Gen<AudiencePerson> Person =
        from names in Name.ListOf()
        from values in Stored.ListOf(names.Count)
        from lists in Gen.SubListOf(Lists)
        select new AudiencePerson($"{{{string.Join(',', names.Zip(values).DistinctBy(static pair => pair.First).Select(static pair => $"{pair.First}:{pair.Second}"))}}}", [.. lists]);

    public static Arbitrary<AudienceCase> Case() => (
        from people in Person.ListOf(12)
        from filters in Filter(3).ListOf(6)
        select new AudienceCase([.. people], [.. filters])).ToArbitrary();

    private static Gen<string> Filter(int depth) => depth == 0
        ? Term()
        : Gen.Frequency(
            (3, Term()),
            (1, Gen.Elements(Lists).Select(static list => $$"""{"list":{{Json(list)}}}""")),
            (1, Filter(depth - 1).Select(static inner => $$"""{"not":{{inner}}}""")),
            (2, Gen.Elements("and", "or").SelectMany(word => Filter(depth - 1).NonEmptyListOf().Select(inner => $$"""{"{{word}}":[{{string.Join(',', inner.Take(4))}}]}"""))));

    private static Gen<string> Term() => Name.SelectMany(static name => Gen.OneOf(
        Op("eq", Gen.OneOf(Text, Number, Bool, Gen.Constant("null"))),
        Op("ne", Gen.OneOf(Text, Number, Bool)),
        Gen.Elements("lt", "le", "gt", "ge").SelectMany(static op => Op(op, Gen.OneOf(Text, Number))),
        Op("in", Gen.OneOf(Many(Text), Many(Number), Many(Bool))),
        Op("exists", Bool),
        Gen.Constant("\"op\":\"exists\"")).Select(rest => $$"""{"attribute":{{name}},{{rest}}}"""));

    private static Gen<string> Op(string op, Gen<string> value) => value.Select(json => $"\"op\":\"{op}\",\"value\":{json}");

    private static Gen<string> Many(Gen<string> value) => value.NonEmptyListOf().Select(static values => $"[{string.Join(',', values)}]");

    private static string Json<T>(T value) => JsonSerializer.Serialize(value);
}
