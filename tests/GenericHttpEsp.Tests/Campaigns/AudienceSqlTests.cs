using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Every operator on every type, against a handful of profiles named by a letter.</summary>
public sealed class AudienceSqlTests(PostgresServer server)
{
    private static readonly (char Name, string Attributes)[] People =
    [
        ('a', """{"v": 5}"""),
        ('b', """{"v": "5"}"""),
        ('c', """{"v": 5.5}"""),
        ('d', """{"v": "pro"}"""),
        ('e', """{"v": true}"""),
        ('f', """{"v": "true"}"""),
        ('g', """{"v": false}"""),
        ('h', """{"v": null}"""),
        ('i', "{}"),
        ('j', """{"v": [5]}"""),
        ('k', """{"v": {"v": 5}}"""),
        ('l', """{"v": "\uffff"}"""),
        ('m', """{"v": "😀"}"""),
        ('n', """{"v": 1e400}"""),
        ('o', """{"v": -1e-400}"""),
        ('p', """{"v": 9007199254740993}"""),
        ('q', """{"v": "Pro"}"""),
        ('r', """{"a\"b'; drop table profiles; --": 1, "x.y[0]": 2, "$\\": 3, "\n😀": 4}"""),
    ];

    private static readonly (string Filter, string Names)[] Cases =
    [
        ("""{"attribute": "v", "op": "eq", "value": 5}""", "a"),
        ("""{"attribute": "v", "op": "eq", "value": 5.0}""", "a"),
        ("""{"attribute": "v", "op": "eq", "value": "5"}""", "b"),
        ("""{"attribute": "v", "op": "eq", "value": true}""", "e"),
        ("""{"attribute": "v", "op": "eq", "value": "true"}""", "f"),
        ("""{"attribute": "v", "op": "eq", "value": null}""", "h"),
        ("""{"attribute": "v", "op": "eq", "value": 9007199254740992}""", "p"),
        ("""{"attribute": "v", "op": "ne", "value": 5}""", "cnop"),
        ("""{"attribute": "v", "op": "ne", "value": "pro"}""", "bflmq"),
        ("""{"attribute": "v", "op": "ne", "value": true}""", "g"),
        ("""{"attribute": "v", "op": "lt", "value": 5.5}""", "ao"),
        ("""{"attribute": "v", "op": "lt", "value": 0}""", ""),
        ("""{"attribute": "v", "op": "le", "value": 5.5}""", "aco"),
        ("""{"attribute": "v", "op": "gt", "value": 1.7976931348623157e308}""", "n"),
        ("""{"attribute": "v", "op": "ge", "value": 5.5}""", "cnp"),
        ("""{"attribute": "v", "op": "lt", "value": "a"}""", "bq"),
        ("""{"attribute": "v", "op": "le", "value": "pro"}""", "bdq"),
        ("""{"attribute": "v", "op": "gt", "value": "\uffff"}""", "m"),
        ("""{"attribute": "v", "op": "ge", "value": "\uffff"}""", "lm"),
        ("""{"attribute": "v", "op": "in", "value": [5, 5.5, 7]}""", "ac"),
        ("""{"attribute": "v", "op": "in", "value": ["5", "pro", "'"]}""", "bd"),
        ("""{"attribute": "v", "op": "in", "value": [true]}""", "e"),
        ("""{"attribute": "v", "op": "in", "value": [true, false, true]}""", "eg"),
        ("""{"attribute": "v", "op": "exists"}""", "abcdefghjklmnopq"),
        ("""{"attribute": "v", "op": "exists", "value": false}""", "ir"),
        ("""{"attribute": "a\"b'; drop table profiles; --", "op": "eq", "value": 1}""", "r"),
        ("""{"attribute": "x.y[0]", "op": "eq", "value": 2}""", "r"),
        ("""{"attribute": "$\\", "op": "eq", "value": 3}""", "r"),
        ("""{"attribute": "\n😀", "op": "eq", "value": 4}""", "r"),
        ("""{"attribute": "V", "op": "exists"}""", ""),
        ("""{"not": {"attribute": "v", "op": "gt", "value": 5}}""", "abdefghijklmoqr"),
        ("""{"not": {"not": {"attribute": "v", "op": "eq", "value": "5"}}}""", "b"),
        ("""{"and": [{"list": "vowels"}, {"attribute": "v", "op": "exists"}]}""", "aeo"),
        ("""{"or": [{"list": "vowels"}, {"attribute": "v", "op": "eq", "value": "5"}]}""", "abeio"),
        ("""{"not": {"list": "vowels"}}""", "bcdfghjklmnpqr"),
        ("""{"list": "nobody's"}""", ""),
        ("""{"not": {"list": "nobody's"}}""", "abcdefghijklmnopqr"),
    ];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Filter_OfEveryOperatorAndType_MatchesThosePeople(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var ids = await ledger.AddProfilesAsync(People.Select(static person => person.Attributes));
        var names = ids.Zip(People).ToDictionary(static pair => pair.First, static pair => pair.Second.Name);
        await ledger.AddToListAsync("vowels", ids.Where(id => "aeiou".Contains(names[id], StringComparison.Ordinal)));
        var wrong = new List<string>();
        foreach (var (filter, expected) in Cases)
        {
            var matched = string.Concat((await ledger.MatchAsync(filter)).Select(id => names[id]));
            if (matched != expected)
            {
                wrong.Add($"{filter} matched '{matched}', not '{expected}'");
            }
        }

        Assert.Empty(wrong);
    }
}
