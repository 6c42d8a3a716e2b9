using System.IO.Compression;
using System.Text;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Api;

/// <summary>Bodies that are hostile, on every route that reads one.</summary>
[Collection(nameof(Hostile))]
public sealed class HostileBodiesTests(HostileBenches benches)
{
    private const string Sqlite = nameof(StorageEngine.Sqlite);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Body_ThatIsHostile_IsRefusedAtItsPlace_AndStoresNothing(string engine)
    {
        var (bench, failures) = (await benches.OfAsync(engine), new List<string>());
        foreach (var route in HostileTable.Routes.Where(static route => route.IsJson))
        {
            var cases = HostileCases.Broken(bench.Sample(route)).Concat(HostileCases.Made(route, bench.Sample(route))).ToLookup(static one => one.MayPass);
            var before = await bench.StoredAsync();
            foreach (var one in cases[false])
            {
                var reply = await bench.SendAsync(route.Method, bench.Path(route), one.Body);
                failures.Note($"{route}, {one.Name}", reply.WrongAt(one.Pointer, one.Says, one.Statuses));
            }

            failures.Note(route.ToString(), before == await bench.StoredAsync() ? null : "stored something of what it refused");
            foreach (var one in cases[true])
            {
                var reply = await bench.SendAsync(route.Method, bench.Path(route), one.Body);
                failures.Note($"{route}, {one.Name}", reply.Wrong([200, 201, .. one.Statuses]));
            }

            // The sample itself is good, or the cases above prove nothing.
            var good = await bench.SendAsync(route.Method, bench.Path(route), Encoding.UTF8.GetBytes(bench.Sample(route)));
            failures.Note($"{route}, the sample", good.Wrong(200, 201));
        }

        await bench.StandsAsync(failures);
    }

    /// <summary>A callback knows 200 and 400 only: whatever is wrong, nothing of it counts as processed, and it is never asked for again.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Callback_ThatIsHostile_ProcessesNothing(string engine)
    {
        var (bench, failures) = (await benches.OfAsync(engine), new List<string>());
        var route = HostileTable.Routes.Single(static route => route.Body == HostileBody.Callback);
        var sample = bench.Sample(route);
        var broken = HostileCases.Broken(sample).ToArray();
        foreach (var one in broken.Concat(HostileCases.Made(route, sample)))
        {
            var reply = await bench.SendAsync(route.Method, bench.Path(route), one.Body, "text/plain", authorization: "");
            failures.Note($"{route}, {one.Name}", reply.Status == 200 && !broken.Contains(one) && (int)reply.Json!["PROCESSED_EVENTS"]! == 0 ? reply.Wrong(200) : reply.Wrong(400));
        }

        await bench.StandsAsync(failures);
    }

    /// <summary>Lines that cannot be read are counted as rejected; none comes in.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Import_ThatIsHostile_TakesNothing(string engine)
    {
        var (bench, failures) = (await benches.OfAsync(engine), new List<string>());
        var before = await bench.StoredAsync();
        var cases = HostileCases.Broken("""{"email":"hostile@example.com","attributes":{"n":1}}""").Select(static one => (one.Name, one.Body)).Concat(HostileLines.All);
        foreach (var (name, body) in cases)
        {
            foreach (var (type, bytes) in new[] { ("application/x-ndjson", body), ("text/csv", body), ("text/csv", [.. "email,n:number\n"u8, .. body]) })
            {
                var reply = await bench.SendAsync("POST", "/v1/recipients/import?list=Hostile", bytes, type);
                failures.Note($"{name} as {type}", reply.Wrong(200, 422) ?? (reply.Status == 200 && (long)reply.Json!["inserted"]! + (long)reply.Json["updated"]! > 0 ? $"took {reply.Body}" : null));
            }
        }

        failures.Note("import", before == await bench.StoredAsync() ? null : "stored something of what it refused");
        await bench.StandsAsync(failures);
    }

    [Fact]
    public async Task Body_OfAnotherKind_Is415()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        string?[] types = [null, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application", "text/html"];
        foreach (var route in HostileTable.Routes.Where(static route => route.IsJson || route.Body == HostileBody.Lines))
        {
            var body = Encoding.UTF8.GetBytes(route.Sample is null ? """{"email":"x@example.com"}""" : bench.Sample(route));
            foreach (var type in types)
            {
                failures.Note($"{route} as \"{type}\"", (await bench.SendAsync(route.Method, bench.Path(route), body, type)).Wrong(415));
            }
        }

        await bench.StandsAsync(failures);
    }

    [Fact]
    public async Task Body_InAnEncodingThatIsNotTaken_Is415()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        foreach (var route in HostileTable.Routes.Where(static route => route.Body != HostileBody.None))
        {
            var body = Encoding.UTF8.GetBytes(route.Sample is null ? """{"email":"x@example.com"}""" : bench.Sample(route));
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                gzip.Write(body);
            }

            var type = route.Body == HostileBody.Lines ? "application/x-ndjson" : "application/json";
            foreach (var (name, bytes) in new[] { ("gzip", packed.ToArray()), ("gzip", body), ("br", body), ("identity, gzip", body) })
            {
                failures.Note($"{route} in {name}", (await bench.SendAsync(route.Method, bench.Path(route), bytes, type, headers: ("Content-Encoding", name))) is var reply && reply.IsOwnShape
                    ? reply.Wrong(200, 415) : reply.Wrong(415));
            }
        }

        await bench.StandsAsync(failures);
    }
}
