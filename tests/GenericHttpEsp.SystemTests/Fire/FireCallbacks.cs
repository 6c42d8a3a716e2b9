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

    public static async Task<FireCallbacks> OfAsync(FireDriver bench, long campaign)
    {
        var provider = (await FireBench.OkAsync(bench.Door.GetAsync($"/v1/campaigns/{campaign}")))["providerId"];
        var url = new Uri((string)(await FireBench.OkAsync(bench.Door.GetAsync($"/v1/providers/{provider}")))["callbackUrl"]!);
        var people = bench.Sandbox.Entries().Where(static entry => entry.Kind == SandboxEntryKind.End)
            .SelectMany(static entry => entry.Addresses!.Zip(entry.MessageIds!, static (email, meta) => (email, meta!)))
            .OrderBy(static person => int.Parse(person.email[1..person.email.IndexOf('@')], System.Globalization.CultureInfo.InvariantCulture));
        return new FireCallbacks(bench, url.AbsolutePath, [.. people]);
    }

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

    /// <summary>Whether the body was acknowledged; false when the server ended first.</summary>
    public async Task<bool> TryPostAsync(string body)
    {
        try
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await _bench.Door.PostAsync(_path, content);
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
}
