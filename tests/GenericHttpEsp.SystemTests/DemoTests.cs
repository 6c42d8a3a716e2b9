using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace GenericHttpEsp.SystemTests;

/// <summary>The README's first command as a process: twice on one directory.</summary>
public sealed partial class DemoTests : IDisposable
{
    private const string KeyFile = "demo.key";
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-demo-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Demo_TwiceOnOneDirectory_AddsUpAndGoesOn()
    {
        var first = await RunAsync();
        Assert.Contains("10,000 imported: 10,000 inserted, 0 updated, 0 rejected", first, StringComparison.Ordinal);
        Assert.Contains("created: POST", first, StringComparison.Ordinal);
        var (opened, reminded) = (Column(first, 0), Column(first, 1));
        Assert.Equal(10_000, opened["accepted by the ESP"]);
        Assert.Equal(0, opened["skipped"]);
        Assert.DoesNotContain("not taken", first, StringComparison.Ordinal);
        // Hard bounces, spam reports, those who left at the ESP and those who pressed the link; some did two of these.
        Assert.InRange(opened["delivered"], 9_500, 10_000);
        var left = opened["hard bounces"] + opened["spam reports"] + opened["left at the ESP"] + 100;
        Assert.InRange(reminded["skipped"], left - 20, left);
        AddsUp(opened, 10_000);
        AddsUp(reminded, 10_000);

        var second = await RunAsync();
        Assert.Contains("10,000 imported: 0 inserted, 10,000 updated, 0 rejected", second, StringComparison.Ordinal);
        Assert.Contains("updated: POST", second, StringComparison.Ordinal);
        var again = Column(second, 0);
        // Whoever left stays away, and after the second letter some more left.
        Assert.True(again["skipped"] > reminded["skipped"]);
        AddsUp(again, 10_000);
        AddsUp(Column(second, 1), 10_000);
    }

    [Fact]
    public async Task Demo_WhenItsPortIsTaken_TakesTheNextAndServesUntilSigterm()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var wanted = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        using var demo = new DemoProcess(_folder, $"--Urls={wanted}");
        var address = await demo.SaysAsync($"{wanted} is in use: the demo takes ", Stop);
        await demo.SaysAsync("API description: ", Stop);

        var key = await File.ReadAllTextAsync(Path.Combine(_folder, KeyFile), Stop);
        Assert.DoesNotContain(key.Trim(), demo.Output, StringComparison.Ordinal);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Path.Combine(_folder, KeyFile)) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        using var client = new HttpClient { DefaultRequestHeaders = { Authorization = new("Bearer", key.Trim()) } };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri($"{address}/v1/campaigns/2/stats"), Stop)).StatusCode);
        Assert.Equal(0, await demo.TerminateAsync(Stop));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> RunAsync()
    {
        using var demo = new DemoProcess(_folder, "--exit", "--Urls=http://127.0.0.1:0");
        Assert.True(await demo.EndAsync(Stop) == 0, demo.Output);
        return demo.Output;
    }

    private static void AddsUp(Dictionary<string, long> column, long audience)
    {
        string[] places = ["accepted by the ESP", "refused by the ESP", "failed", "skipped", "unknown", "to come"];
        Assert.Equal(audience, column["audience"]);
        Assert.Equal(audience, places.Sum(place => column[place]));
        Assert.Equal(column["accepted by the ESP"], column["messages the ESP got"]);
        Assert.Equal(0, column["people it got twice"]);
    }

    /// <summary>The numbers of one campaign's column, by the label of their row.</summary>
    private static Dictionary<string, long> Column(string output, int campaign) => Row().Matches(output)
        .ToDictionary(static row => row.Groups[1].Value.Trim(), row => long.Parse(row.Groups[2 + campaign].Value.Replace(",", "", StringComparison.Ordinal), null));

    [GeneratedRegex(@"^│ ([^│]+) │ +([\d,]+) │ +([\d,]+) │", RegexOptions.Multiline)]
    private static partial Regex Row();
}
