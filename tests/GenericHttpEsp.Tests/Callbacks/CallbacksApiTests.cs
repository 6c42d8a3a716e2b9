using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Callbacks;

public sealed class CallbacksApiTests(PostgresServer server)
{
    /// <summary>F25: each field in turn, and how the one bad event of a thousand is told.</summary>
    public static TheoryData<string, string?, string> BadFields => new()
    {
        { "type", "opened", "type is not one of" },
        { "type", "clicked", "type clicked belongs to the group clicked" },
        { "type", null, "type is missing" },
        { "email", "nobody", "email: " },
        { "email", "p1@example.com", "not the address in the signed meta" },
        { "email", null, "email is missing" },
        { "meta", "a|b|c", "meta is not what was sent" },
        { "meta", "notoken", "neither a meta nor a token" },
        { "meta", null, "meta is missing" },
        { "meta", "forged", "wrong signature" },
        { "meta", "account", "another account" },
        { "meta", "unsigned", "quarantined: " },
        { "meta", "test", "test message" },
        { "description", "number", "description is not a string" },
        { "timestamp", "words", "timestamp is not a number" },
    };

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Body_WithOneBadEventOfAThousand_KeepsTheOthers(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server);
        var good = Enumerable.Range(0, 999).Select(person => bench.Event("hard_bounce", person)).ToArray();
        foreach (var row in BadFields)
        {
            var (field, value, reason) = row.Data;
            var events = new JsonObject { ["failed"] = new JsonArray([.. good.Select(static one => one.DeepClone()).Append(Bad(bench, field, value))]) };

            var answer = await bench.AcceptedAsync(new JsonObject { ["version"] = "v2", ["events"] = events }.ToJsonString());

            Assert.Equal((1000, 999), ((int)answer["TOTAL_EVENTS"]!, (int)answer["PROCESSED_EVENTS"]!));
            var unprocessed = Assert.Single(answer["UNPROCESSED_EVENTS"]!.AsArray())!;
            Assert.Equal((999, "failed"), ((int)unprocessed["index"]!, (string)unprocessed["group"]!));
            Assert.Contains(reason, (string)unprocessed["error"]!, StringComparison.Ordinal);
            Assert.Equal(["index", "group", "type", "email", "meta", "error"], unprocessed.AsObject().Select(static member => member.Key));
        }

        var state = await bench.StateAsync();
        Assert.Equal(999, state.EventRows);
        Assert.Equal($"{CallbackBench.Campaign}|1|0|999|0|0|0|0|0", state.Counters);
        Assert.Equal(999, state.Subscriptions.Split('\n').Length);
    }

    [Fact]
    public async Task Answers_BesidesTwoHundred()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server, settings: ["--Callbacks:BodiesPerSecond=1", "--Callbacks:BodiesBurst=12"]);
        var body = CallbackBench.Body([bench.Event("spam", 1)]);
        using var anyone = bench.Campaigns.Application.Anonymous();
        foreach (var token in (string[])["x", new string('0', 31), bench.CallbackPath[11..^1] + (bench.CallbackPath[^1] == 'A' ? 'B' : 'A'), bench.CallbackPath[11..] + "A"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await anyone.PostAsync("/callbacks/" + token, new StringContent(body))).StatusCode);
        }

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await anyone.GetAsync(bench.CallbackPath)).StatusCode);
        foreach (var bad in CallbackReaderTests.Refused.Take(5).Select(static row => row.Data.Item1))
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await bench.PostAsync(bad)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await bench.PostAsync([0xFF, 0xFE])).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await bench.PostAsync(new byte[(4 << 20) + 1])).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await bench.PostAsync(Described(bench, 10 << 20))).StatusCode);
        Assert.Equal(0, (await bench.StateAsync()).EventRows);
        Assert.Equal(HttpStatusCode.OK, (await bench.PostAsync(Described(bench, 3 << 20))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await bench.PostAsync(body)).StatusCode);
        HttpResponseMessage last;
        var posts = 0;
        do
        {
            last = await bench.PostAsync(body);
        }
        while (last.StatusCode == HttpStatusCode.OK && ++posts < 50);

        Assert.Equal(HttpStatusCode.TooManyRequests, last.StatusCode);
        Assert.Equal("1", last.Headers.GetValues("Retry-After").Single());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Body_WhileTheDatabaseCannotRecord_Answers503_AndIsWholeAtTheNextTry(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 3);
        var body = CallbackBench.Body([bench.Event("unsubscribed", 0), bench.Event("clicked", 1), bench.Event("delivered", 2)]);
        await RenameAsync(bench, "run_events", "away");

        using (var trouble = await bench.PostAsync(body))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, trouble.StatusCode);
            Assert.True(trouble.Headers.Contains("Retry-After"));
        }

        await RenameAsync(bench, "away", "run_events");
        Assert.Equal(0, (await bench.StateAsync()).EventRows);
        Assert.Equal(3, (int)(await bench.AcceptedAsync(body))["PROCESSED_EVENTS"]!);
        Assert.Equal(4, (await bench.StateAsync()).EventRows);
        Assert.Equal("unsubscribed", await bench.StatusAsync(0));

        await RenameAsync(bench, "subscriptions", "away");
        using (var trouble = await bench.PostAsync(CallbackBench.Body([bench.Event("spam", 2)])))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, trouble.StatusCode);
        }

        await RenameAsync(bench, "away", "subscriptions");
        Assert.Equal(4, (await bench.StateAsync()).EventRows);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SameBody_FromSixteenClientsTenTimes_CountsOnce(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server);
        string[] types = ["delivered", "hard_bounce", "soft_bounce", "spam", "unsubscribed", "clicked"];
        var random = new Random(23);
        var events = Enumerable.Range(0, 1000).Select(i => bench.Event(types[i % 6], i, $"reason {i % 3}", 1_730_714_617 + (i % 5))).ToArray();
        var bodies = Enumerable.Range(0, 16).Select(_ =>
        {
            random.Shuffle(events);
            return CallbackBench.Body(events);
        }).ToArray();
        await bench.AcceptedAsync(bodies[0]);
        var once = await bench.StateAsync();
        Assert.Equal(1000 + 166, once.EventRows);

        var answers = await Task.WhenAll(bodies.Select(async body =>
        {
            var statuses = new List<(HttpStatusCode, string)>();
            for (var i = 0; i < 10; i++)
            {
                using var answer = await bench.PostAsync(body);
                statuses.Add((answer.StatusCode, await answer.Content.ReadAsStringAsync()));
            }

            return statuses;
        }));

        Assert.All(answers.SelectMany(static each => each), static answer =>
            Assert.Equal((HttpStatusCode.OK, """{"TOTAL_EVENTS":1000,"PROCESSED_EVENTS":1000,"UNPROCESSED_EVENTS":[]}"""), answer));
        Assert.Equal(once, await bench.StateAsync());
        Assert.Equal(once.Counters, await CallbackState.RecountAsync(bench.Database));
    }

    [Fact]
    public async Task Token_IsTakenForMeta_OfItsRecipientOnly()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server, people: 3);
        var own = await bench.AcceptedAsync(bench.Event("spam", 1, meta: bench.Token(1)));
        Assert.True((int)own["PROCESSED_EVENTS"]! == 1, own.ToJsonString());
        var other = await bench.AcceptedAsync(bench.Event("spam", 2, meta: bench.Token(0)));
        Assert.Contains("not the address", (string)other["UNPROCESSED_EVENTS"]![0]!["error"]!, StringComparison.Ordinal);
        Assert.Equal(["subscribed", "unsubscribed", "subscribed"], [await bench.StatusAsync(0), await bench.StatusAsync(1), await bench.StatusAsync(2)]);
    }

    [Fact]
    public async Task Erased_StaysForbidden_ByTheSignedAddress()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server, people: 2);
        (await bench.Client.DeleteAsync("/v1/recipients/p1@example.com")).EnsureSuccessStatusCode();

        await bench.AcceptedAsync(bench.Event("spam", 1));

        await bench.Client.PutAsJsonAsync("/v1/recipients/p1@example.com", new { });
        Assert.Equal("unsubscribed", await bench.StatusAsync(1));
        Assert.DoesNotContain("p1@example.com", (await bench.StateAsync()).Events, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Descriptions_AreKeptBounded_WithoutAddresses()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server);
        await bench.AcceptedAsync(
            bench.Event("hard_bounce", 1, "550 5.1.1 <p1@example.com>: no such user p1@example.com\u0000"),
            bench.Event("clicked", 2, "https://example.com/?u=p2%40example.com&x=" + new string('y', 600)));
        var events = (await bench.StateAsync()).Events;
        Assert.Contains("550 5.1.1 <(address)>: no such user (address)", events, StringComparison.Ordinal);
        Assert.Contains("https://example.com/?u=(address)&x=y", events, StringComparison.Ordinal);
        Assert.DoesNotContain("@", events, StringComparison.Ordinal);
        Assert.DoesNotContain(new string('y', 500), events, StringComparison.Ordinal);
    }

    private static JsonObject Bad(CallbackBench bench, string field, string? value)
    {
        var one = bench.Event("hard_bounce", 999);
        one[field] = (field, value) switch
        {
            (_, null) => null,
            ("meta", "forged") => bench.Meta(999)[..^1] + (bench.Meta(999)[^1] == 'A' ? 'Q' : 'A'),
            ("meta", "account") => bench.Meta(999, account: 5),
            ("meta", "unsigned") => bench.Meta(999, signed: false),
            ("meta", "test") => bench.Meta(999, campaign: 0),
            ("description", _) => 5,
            ("timestamp", _) => "yesterday",
            _ => value,
        };
        return one;
    }

    private static byte[] Described(CallbackBench bench, int characters) =>
        Encoding.UTF8.GetBytes(CallbackBench.Body([bench.Event("clicked", 1, new string('d', characters))]));

    private static Task<int> RenameAsync(CallbackBench bench, string from, string to) =>
        bench.Database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync($"alter table {from} rename to {to}"));
}
