using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>What the ESP tells of a campaign that it took: bodies with the metas it was given, in the order of the addresses.</summary>
internal sealed class FireCallbacks
{
    private static readonly (string Type, string Group)[] Types =
    [
        ("delivered", "success"), ("hard_bounce", "failed"), ("soft_bounce", "failed"), ("spam", "failed"), ("unsubscribed", "failed"), ("clicked", "clicked"),
    ];

    private readonly FireDriver _bench;
    private readonly string _path;
    private readonly (string Email, string Meta)[] _people;

    private FireCallbacks(FireDriver bench, string path, (string Email, string Meta)[] people) => (_bench, _path, _people) = (bench, path, people);

    /// <summary>Each type happens to as many; three of them forbid.</summary>
    public static int TypeCount => Types.Length;

    /// <summary>Six types and the first clicks, as <see cref="FireEvents.Counters"/> has them.</summary>
    public static string Counters(int each) => string.Join(' ', Enumerable.Repeat(each, TypeCount + 1));

    public static async Task<FireCallbacks> OfAsync(FireDriver bench, long campaign)
    {
        var provider = (await FireBench.OkAsync(bench.Door.GetAsync($"/v1/campaigns/{campaign}")))["providerId"];
        var url = new Uri((string)(await FireBench.OkAsync(bench.Door.GetAsync($"/v1/providers/{provider}")))["callbackUrl"]!);
        var people = bench.Sandbox.Entries().Where(static entry => entry.Kind == SandboxEntryKind.End)
            .SelectMany(static entry => entry.Addresses!.Zip(entry.MessageIds!, static (email, meta) => (email, meta: meta!)))
            .Where(person => person.meta.Split('|')[2] == campaign.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .OrderBy(static person => int.Parse(person.email[1..person.email.IndexOf('@')], System.Globalization.CultureInfo.InvariantCulture));
        return new FireCallbacks(bench, url.AbsolutePath, [.. people]);
    }

    public string Path => _path;

    public int Count => _people.Length;

    public string Email(int person) => _people[person].Email;

    /// <summary>One event for each of these people, with a time of its own, so that a copy is a copy.</summary>
    public string Body(int first, int count)
    {
        var groups = new JsonObject();
        for (var i = first; i < first + count; i++)
        {
            var (type, group) = Types[i % Types.Length];
            if (groups[group] is not JsonArray members)
            {
                groups[group] = members = [];
            }

            members.Add(new JsonObject { ["type"] = type, ["email"] = _people[i].Email, ["meta"] = _people[i].Meta, ["timestamp"] = 1_700_000_000 + i });
        }

        return new JsonObject { ["version"] = "v2", ["events"] = groups }.ToJsonString();
    }

    /// <summary>One event of each type for one person, each in a body of its own.</summary>
    public IEnumerable<string> Bodies(int person) => Types.Select(one => Body(one, person));

    public string Unsubscribed(int person) => Body(Types.Single(static one => one.Type == "unsubscribed"), person);

    /// <summary>Whether the body was acknowledged; false when the server ended first.</summary>
    public Task<bool> TryPostAsync(string body) => TryPostAsync(body, _bench.Door);

    public async Task<bool> TryPostAsync(string body, HttpClient door)
    {
        try
        {
            using var answer = await PostAsync(body, door);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
            Assert.Empty(JsonNode.Parse(text)!["UNPROCESSED_EVENTS"]?.AsArray() ?? []);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async Task<HttpResponseMessage> PostAsync(string body, HttpClient door)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await door.PostAsync(_path, content);
    }

    private string Body((string Type, string Group) of, int person)
    {
        var (email, meta) = _people[person];
        var told = new JsonObject { ["type"] = of.Type, ["email"] = email, ["meta"] = meta, ["timestamp"] = 1_700_000_000 + person };
        return new JsonObject { ["version"] = "v2", ["events"] = new JsonObject { [of.Group] = new JsonArray(told) } }.ToJsonString();
    }
}
