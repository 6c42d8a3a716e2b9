using System.Text;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Api;

/// <summary><c>If-Match</c> and <c>Idempotency-Key</c>, on every route that takes them.</summary>
[Collection(nameof(Hostile))]
public sealed class HostilePreconditionsTests(HostileBenches benches)
{
    private const string Sqlite = nameof(StorageEngine.Sqlite);
    private static readonly string[] Tagged = ["/v1/providers/{id:long}", "/v1/campaigns/{id:long}"];

    // They change nothing that the tag stands for.
    private static readonly string[] Beside = ["preview", "test", "quarantine", "quarantine/replay", "unknown/resolve"];

    [Fact]
    public async Task IfMatch_StaleOrBroken_IsRefused_AndTheCurrentOnePasses()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        foreach (var route in HostileTable.Routes.Where(static route => route is { HasETag: true, Method: "PUT" }))
        {
            var path = bench.Path(route);
            using var read = await bench.Application.Client.GetAsync(path);
            var current = read.Headers.ETag!.ToString();
            foreach (var (tag, status) in new[] { ("\"0\"", 412), ($"W/{current}", 412), ("\"x\", \"y\"", 412), ("7", 400), ("\"", 400), ("\"a\" \"b\"", 400), ("*", 200) })
            {
                var reply = await bench.SendAsync(route.Method, path, Encoding.UTF8.GetBytes(bench.Sample(route)), headers: ("If-Match", tag));
                failures.Note($"{route} If-Match: {tag}", reply.Wrong(status));
            }

            using var again = await bench.Application.Client.GetAsync(path);
            failures.Note($"{route} with the current version", (await bench.SendAsync(
                route.Method, path, Encoding.UTF8.GetBytes(bench.Sample(route)), headers: ("If-Match", again.Headers.ETag!.ToString()))).Wrong(200));
            failures.Note($"{route} with the version before", (await bench.SendAsync(
                route.Method, path, Encoding.UTF8.GetBytes(bench.Sample(route)), headers: ("If-Match", again.Headers.ETag!.ToString()))).Wrong(412));
        }

        await bench.StandsAsync(failures);
    }

    /// <summary>Actions and DELETE end what the other cases need: here they are refused only. What passes stands in the tests of their slices.</summary>
    [Fact]
    public async Task IfMatch_OnAnAction_StaleOrBroken_IsRefusedAndChangesNothing()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        var stored = await bench.StoredAsync();
        foreach (var route in HostileTable.Routes.Where(static route => route is { HasETag: true, Method: not "PUT" }))
        {
            var path = bench.Path(route);
            using var read = await bench.Application.Client.GetAsync(string.Join('/', path.Split('/').Take(4)));
            var current = read.Headers.ETag!.ToString();
            foreach (var (tag, status) in new[] { ("\"0\"", 412), ($"W/{current}", 412), ("\"x\", \"y\"", 412), ("7", 400), ("\"", 400), ("\"a\" \"b\"", 400) })
            {
                var body = route.Sample is null ? [] : Encoding.UTF8.GetBytes(bench.Sample(route));
                failures.Note($"{route} If-Match: {tag}", (await bench.SendAsync(route.Method, path, body, headers: ("If-Match", tag))).Wrong(status));
            }
        }

        failures.Note("all", stored == await bench.StoredAsync() ? null : "a refused action changed something");
        await bench.StandsAsync(failures);
    }

    [Fact]
    public void IfMatch_IsTakenByAllThatChangesWhatHasATag() => Assert.DoesNotContain(HostileTable.Routes, static route =>
        route.Method != "GET" && !route.HasETag && Array.Exists(Tagged, resource => ChangesIt(route.Pattern, resource)));

    private static bool ChangesIt(string pattern, string resource) =>
        pattern == resource || (pattern.StartsWith(resource + "/", StringComparison.Ordinal) && !Beside.Contains(pattern[(resource.Length + 1)..]));

    [Fact]
    public async Task IdempotencyKey_Repeated_CreatesOnce_AndNeverForAnotherBody()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        foreach (var route in HostileTable.Routes.Where(static route => route.IsIdempotent))
        {
            var (path, key) = (bench.Path(route), ("Idempotency-Key", $"hostile {route}"));
            var body = bench.Unique(Encoding.UTF8.GetBytes(bench.Sample(route)));
            var first = await bench.SendAsync(route.Method, path, body, headers: key);
            failures.Note($"{route} first", first.Wrong(200, 201));
            var stored = await bench.StoredAsync();
            var second = await bench.SendAsync(route.Method, path, body, headers: key);
            failures.Note($"{route} again", second.Body == first.Body && second.Status == first.Status ? null : $"answers differ: {second.Status} {second.Body}");
            failures.Note($"{route} again with another body", (await bench.SendAsync(route.Method, path, [.. body, (byte)' '], headers: key)).Wrong(422));
            foreach (var bad in (string[])[" ", new('k', 256), "a\tb", new('k', 4000)])
            {
                failures.Note($"{route} with a key of {bad.Length}", (await bench.SendAsync(route.Method, path, body, headers: ("Idempotency-Key", bad))).Wrong(400));
            }

            failures.Note(route.ToString(), stored == await bench.StoredAsync() ? null : "a repetition changed something");
        }

        await bench.StandsAsync(failures);
    }
}
