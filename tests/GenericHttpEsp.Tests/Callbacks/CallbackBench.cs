using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Content;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Callbacks;

/// <summary>The application with one provider and some recipients; bodies are posted to its callback address as an ESP would.</summary>
internal sealed class CallbackBench : IAsyncDisposable
{
    public const long Campaign = 700;
    private static readonly (string Type, string Group)[] Types =
    [
        ("delivered", "success"), ("hard_bounce", "failed"), ("soft_bounce", "failed"), ("spam", "failed"), ("unsubscribed", "failed"), ("clicked", "clicked"),
    ];

    private readonly HttpClient _esp;
    private readonly Dictionary<string, long> _ids = [];

    private CallbackBench(CampaignBench campaigns)
    {
        (Campaigns, _esp) = (campaigns, campaigns.Application.Anonymous());
    }

    public CampaignBench Campaigns { get; }

    public long Provider { get; private set; }

    public string CallbackPath { get; private set; } = "";

    public Uri CallbackUrl { get; private set; } = null!;

    public LedgerDatabase Database => Campaigns.Application.Services.GetRequiredService<LedgerDatabase>();

    public HttpClient Client => Campaigns.Client;

    public static async Task<CallbackBench> StartAsync(
        string engine, PostgresServer server, bool acceptUnsigned = false, int people = 0, params string[] settings)
    {
        var bench = new CallbackBench(await CampaignBench.StartAsync(engine, server, null, null, ["--Retention:EventDays=0", .. settings]));
        bench.Provider = await bench.Campaigns.ProviderAsync(more: new JsonObject { ["acceptUnsignedMeta"] = acceptUnsigned });
        var provider = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/providers/{bench.Provider}"));
        bench.CallbackUrl = new Uri((string)provider["callbackUrl"]!);
        bench.CallbackPath = bench.CallbackUrl.AbsolutePath;
        if (people > 0)
        {
            await bench.Campaigns.ImportAsync(people);
            var ids = await bench.Database.ReadAsync(session => session.QueryAsync("select email, id from profiles", static row => (row.GetString(0), row.GetInt64(1))));
            ids.ForEach(one => bench._ids[one.Item1] = one.Item2);
        }

        return bench;
    }

    // Its messages have a date of their own: they are kept for ever unless a test says otherwise.
    public static string Email(int person) => $"p{person}@example.com";

    /// <summary>The id of who was imported; of anybody else one that nobody has.</summary>
    public long IdOf(int person) => _ids.GetValueOrDefault(Email(person), 1_000_000 + person);

    public string Meta(int person, string? email = null, bool signed = true, long campaign = Campaign, int run = 1, int date = 20261124, long? account = null)
    {
        var meta = new MessageMeta(
            email ?? Email(person), account ?? Campaigns.Application.Services.GetRequiredService<InstallationKeys>().AccountId, campaign,
            new DateOnly(date / 10000, date / 100 % 100, date % 100), run, MessageMeta.DefaultVariant, IdOf(person)).Format(Ring.Current);
        return signed ? meta : meta[..(meta.LastIndexOf('|') + 1)];
    }

    public string Token(int person) => new MessageToken(Campaign, 1, new DateOnly(2026, 11, 24), IdOf(person), MessageMeta.DefaultVariant).Format(Ring.Current);

    public JsonObject Event(string type, int person, string? description = null, long? timestamp = null, string? meta = null)
    {
        var one = new JsonObject { ["type"] = type, ["email"] = Email(person), ["meta"] = meta ?? Meta(person) };
        if (description is not null)
        {
            one["description"] = description;
        }

        if (timestamp is not null)
        {
            one["timestamp"] = timestamp;
        }

        return one;
    }

    /// <summary>A version 2 body with each event in its group.</summary>
    public static string Body(IEnumerable<JsonObject> events)
    {
        var groups = new JsonObject();
        foreach (var one in events)
        {
            var group = Array.Find(Types, type => type.Type == (string?)one["type"]).Group ?? "failed";
            if (groups[group] is not JsonArray members)
            {
                groups[group] = members = [];
            }

            members.Add(one.DeepClone());
        }

        return new JsonObject { ["version"] = "v2", ["events"] = groups }.ToJsonString();
    }

    public Task<HttpResponseMessage> PostAsync(string body) => _esp.PostAsync(CallbackPath, new StringContent(body, Encoding.UTF8, "application/json"));

    /// <summary>Asks before it sends: a server that refuses a large body closes the connection on whoever just sends.</summary>
    public async Task<HttpResponseMessage> PostAsync(byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, CallbackPath) { Content = new ByteArrayContent(body) };
        request.Headers.ExpectContinue = true;
        return await _esp.SendAsync(request);
    }

    public async Task<JsonNode> AcceptedAsync(string body)
    {
        using var answer = await PostAsync(body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    public Task<JsonNode> AcceptedAsync(params JsonObject[] events) => AcceptedAsync(Body(events));

    public async Task<string?> StatusAsync(int person)
    {
        var recipient = await CampaignBench.OkAsync(Client.GetAsync($"/v1/recipients/{Email(person)}"));
        return (string?)recipient["subscription"]!["status"];
    }

    /// <summary>Everything callbacks change, but for the moments of their arrival.</summary>
    public Task<CallbackState> StateAsync() => CallbackState.ReadAsync(Database);

    private MetaKeyRing Ring => Campaigns.Application.Services.GetRequiredService<MetaKeyRing>();

    public async ValueTask DisposeAsync()
    {
        _esp.Dispose();
        await Campaigns.DisposeAsync();
    }
}

/// <summary>Rows as text, sorted.</summary>
internal sealed record CallbackState(string Events, string Counters, string Subscriptions, long EventRows)
{
    public static Task<CallbackState> ReadAsync(LedgerDatabase database) => database.ReadAsync(async session =>
    {
        var events = await session.QueryAsync(
            $"""
            select run_date, campaign_id, run, recipient_id, type, moment, discriminator, occurred_at, reason_hash, description,
              {(session.IsSqlite ? "signed" : "case when signed then 1 else 0 end")}
            from events order by run_date, campaign_id, run, recipient_id, type, moment, discriminator
            """,
            static row => string.Join('|', Enumerable.Range(0, 11).Select(row.GetValue)));
        var counters = await session.QueryAsync(
            $"select campaign_id, run, {string.Join(", ", EventCounts.Columns)} from run_events order by campaign_id, run",
            static row => string.Join('|', Enumerable.Range(0, 9).Select(row.GetValue)));
        var subscriptions = await session.QueryAsync(
            "select key, status, reason, since, applied from subscriptions order by key",
            static row => $"{Convert.ToHexString(row.GetFieldValue<byte[]>(0))}|{row.GetValue(1)}|{row.GetValue(2)}|{Since(row.GetValue(3))}|{Applied(row.GetString(4))}");
        return new CallbackState(string.Join('\n', events), string.Join('\n', counters), string.Join('\n', subscriptions), events.Count);
    });

    /// <summary>The counters as a recount of the rows gives them.</summary>
    public static Task<string> RecountAsync(LedgerDatabase database) => database.ReadAsync(async session =>
    {
        int[] types = [1, 2, 3, 4, 5, 6, 7];
        var counts = await session.QueryAsync(
            $"""
            select campaign_id, run, {string.Join(", ", types.Select(type => $"count(case when type = {type} then 1 end)"))}
            from events group by campaign_id, run order by campaign_id, run
            """,
            static row => string.Join('|', Enumerable.Range(0, 9).Select(row.GetValue)));
        return string.Join('\n', counts);
    });

    // Events without a time count from their arrival.
    private static string Since(object value) => value is long at && at > TimeProvider.System.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds() ? "now" : $"{value}";

    private static string Applied(string json) =>
        string.Join(',', JsonElement.Parse(json).EnumerateObject().Select(static one => $"{one.Name}={one.Value}").Order());
}
