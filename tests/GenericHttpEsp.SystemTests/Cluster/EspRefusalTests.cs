using System.Collections.Concurrent;
using System.Globalization;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>ESPs that say not now.</summary>
[Collection(EspFire.Name)]
public sealed class EspRefusalTests(EspFaultCluster cluster)
{
    private const int Size = 5;
    private const int Concurrency = 6;
    private static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(15);

    // The server's own time between its clock and the database's.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromMilliseconds(5);

    private ClusterBench Bench => cluster.Bench;

    /// <summary>F10: whoever was told to wait comes no earlier, whatever the header's form.</summary>
    [Fact]
    public async Task RetryAfter_InEveryForm_IsNeverUndercut()
    {
        var people = FireSize.Of(ci: 200, full: 2000);
        (string Name, Func<string?> Value)[] forms =
        [
            ("seconds", static () => "2"),
            // A date has no fractions: 2 to 3 seconds.
            ("date", static () => TimeProvider.System.GetUtcNow().AddSeconds(3).ToString("r")),
            ("negative", static () => "-5"),
            ("garbage", static () => "soon, please"),
            ("none", static () => null),
        ];
        var acts = forms.Select(static form => HarshActs.Later(form.Name, form.Value)).ToList();
        await using var esp = new HarshEsp(Once(acts));
        var began = TimeProvider.System.GetUtcNow();
        var campaign = await cluster.SendAsync("f10", people, Size, Concurrency, esp.Endpoint);

        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, 0, "f10", esp.Log);
        var share = await cluster.Beside.ShareAsync(began);

        var waits = Waits(esp.Requests);
        Assert.Equal(forms.Select(static form => form.Name).Order(), waits.Select(static wait => wait.Form).Distinct().Order());
        Assert.Empty(waits.Where(static wait => wait.Took < wait.Least).Select(static wait => $"{wait.Form}: {wait.Took} < {wait.Least}"));
        Assert.InRange(share, BesideCampaign.ShareMin, double.MaxValue);
        verdict.Report(
            $"F10: 429 with {string.Join(", ", waits.GroupBy(static wait => wait.Form).Select(Described))}; others at {share:p0}", waits.Count, waits.Max(static wait => wait.Took));
    }

    /// <summary>F10: waits that no test can sit out, as the ledger has them: at most a quarter of an hour, and not all at once.</summary>
    [Fact]
    public async Task RetryAfter_OfMinutesAndYears_IsKeptWithinAQuarterOfAnHour_WithJitter()
    {
        const int People = 150;
        var acts = new[] { HarshActs.Later("600", static () => "600"), HarshActs.Later("1e9", static () => "1000000000") };
        await using var esp = new HarshEsp(request => acts[request.Number % acts.Length]);
        var campaign = await cluster.SendAsync("f10long", People, Size, Concurrency, esp.Endpoint);
        // What missed its gate waits too, but not for minutes.
        await cluster.AllWaitAsync(campaign, People, TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(5));

        var due = await Bench.ReadAsync(session => session.QueryAsync(
            "select p.email, b.not_before from batches b join profiles p on p.id = b.ids[1] where b.campaign_id = @campaign and b.state = 0",
            static row => (Email: row.GetString(0), At: DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1))),
            ("@campaign", campaign)));
        await cluster.StopAsync(campaign);

        var waits = due.Select(one => (Told: esp.Requests.Single(request => request.Addresses.Contains(one.Email)), one.At))
            .ToLookup(static one => one.Told.Act.Name, static one => one.At - one.Told.Answered!.Value);
        var (minutes, years) = (waits["600"].ToList(), waits["1e9"].ToList());
        Assert.All(minutes, static wait => Assert.InRange(wait, TimeSpan.FromMinutes(10) - ClockSlack, TimeSpan.FromMinutes(12.1)));
        // Of fifteen drawn from two minutes, all within twenty seconds: less than once in a billion runs.
        Assert.True(minutes.Count >= 10 && minutes.Max() - minutes.Min() > TimeSpan.FromSeconds(20), $"{minutes.Count} waits from {minutes.Min()} to {minutes.Max()}");
        Assert.All(years, static wait => Assert.InRange(wait, WaitMax - ClockSlack, WaitMax + WaitMin));
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, People, 0, "f10long", esp.Log, "stopped");
        Assert.Equal(People / Size, esp.Requests.Count, People / Size / 5d);
        verdict.Report(
            string.Create(CultureInfo.InvariantCulture, $"F10: Retry-After 600 is due in {minutes.Min().TotalSeconds:f0} to {minutes.Max().TotalSeconds:f0} s, 1e9 in {years.Max().TotalSeconds:f0} s"), waits.Count, TimeSpan.Zero);
    }

    private static string Described(IGrouping<string, (string Form, TimeSpan Took, TimeSpan Least)> waits) => string.Create(
        CultureInfo.InvariantCulture, $"{waits.Key}: {waits.Count()} waited {waits.Min(static wait => wait.Took).TotalSeconds:f1} to {waits.Max(static wait => wait.Took).TotalSeconds:f1} s");

    /// <summary>An act after the other for requests that bring anybody for the first time; who comes again is taken.</summary>
    private static Func<HarshRequest, HarshAct> Once(List<HarshAct> acts)
    {
        var told = new ConcurrentDictionary<string, bool>();
        return _ => new HarshAct("told once", async request =>
        {
            var isNew = request.Addresses.Select(address => told.TryAdd(address, true)).ToList().Contains(true);
            request.Act = isNew ? acts[request.Number % acts.Count] : HarshActs.Ok;
            return await request.Act.Play(request);
        });
    }

    /// <summary>For everybody who was told to wait: how long it took to the next request, and how long it should have at least.</summary>
    private static List<(string Form, TimeSpan Took, TimeSpan Least)> Waits(IReadOnlyList<HarshRequest> requests) =>
    [
        .. from told in requests
           where !told.IsTaken
           from next in requests
           where next.Number > told.Number && next.Addresses.Intersect(told.Addresses).Any()
           select (told.Act.Name, next.Arrived - told.Answered!.Value, told.Act.Name switch
           {
               "seconds" => TimeSpan.FromSeconds(2),
               "date" => Floor(told.Answered.Value) + TimeSpan.FromSeconds(3) - told.Answered.Value,
               _ => WaitMin,
           }),
    ];

    private static DateTimeOffset Floor(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), time.Offset);
}
