using System.IO.Compression;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Api;

/// <summary>
/// Every route of the real server gets hostile input, made from <see cref="HostileTable"/>: the answer is one of a few refusals, told as the API tells them and
/// at once; nothing is stored, nothing is logged as an error, and the server goes on.
/// </summary>
public sealed class HostileRoutesTests(HostileBenches benches) : IClassFixture<HostileBenches>
{
    private const string Sqlite = nameof(StorageEngine.Sqlite);

    private static IEnumerable<HostileRoute> JsonRoutes => HostileTable.Routes.Where(static route => route.IsJson);

    [Fact]
    public async Task Table_HasEveryRoute_AndNoOther()
    {
        var mapped = await MappedAsync();
        var table = HostileTable.Routes.Select(static route => route.ToString()).ToArray();
        Assert.Equal(table.Length, table.Distinct().Count());
        var missing = mapped.Keys.Except(table).ToArray();
        Assert.True(missing.Length == 0, $"Add to HostileTable, with a sample of the body and the names of the query: {string.Join(", ", missing)}");
        var gone = table.Except(mapped.Keys).ToArray();
        Assert.True(gone.Length == 0, $"Take out of HostileTable, no such route is mapped: {string.Join(", ", gone)}");
    }

    [Fact]
    public async Task Table_SaysWhatTheRoutesRead()
    {
        var (mapped, wrong) = (await MappedAsync(), new List<string>());
        var bench = await benches.OfAsync(Sqlite);
        foreach (var route in HostileTable.Routes.Where(route => mapped.ContainsKey(route.ToString())))
        {
            var metadata = mapped[route.ToString()].Metadata;
            var contract = metadata.GetMetadata<IAcceptsMetadata>()?.RequestType;
            wrong.AddRange(contract is null || route.Body is not HostileBody.None ? [] : [$"{route}: it reads a {contract.Name}; say so and give a sample"]);
            wrong.AddRange(!route.IsJson || contract is null ? [] : Lacking(ApiJson.Options.GetTypeInfo(contract), "", route, bench.Sample(route)));
            var isPage = metadata.OfType<IProducesResponseTypeMetadata>().Any(static answer => answer.Type is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Page<>));
            wrong.AddRange(isPage && !(route.Query.Contains("cursor") && route.Query.Contains("limit")) ? [$"{route}: it answers pages; add cursor and limit to Query"] : []);
            var inPath = bench.Usual(route).Select(static parameter => parameter.Name).ToArray();
            var bound = metadata.GetMetadata<System.Reflection.MethodInfo>()?.GetParameters()
                .Where(static parameter => parameter.ParameterType is { IsPrimitive: true } or { IsEnum: true } || Nullable.GetUnderlyingType(parameter.ParameterType) is not null || parameter.ParameterType == typeof(string))
                .Select(static parameter => parameter.Name!) ?? [];
            wrong.AddRange(bound.Except(inPath).Except(route.Query).Select(name => $"{route}: add {name} to Query"));
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Call_WithoutAGoodKey_Is401_ExceptOnPublicRoutes()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        string[] authorizations = ["", "Bearer", "Bearer ", "Basic dGVzdDp0ZXN0", $"Bearer {ApiKeyFormat.New()}", "bearer x", "Bearer " + new string('x', 5000)];
        foreach (var route in HostileTable.Routes)
        {
            foreach (var authorization in route.IsPublic ? authorizations[..1] : authorizations)
            {
                var path = bench.Path(route);
                var reply = await bench.SendAsync(route.Method, path, route.Body == HostileBody.None ? null : "{}"u8.ToArray(), authorization: authorization);
                Note(failures, $"{route} with \"{authorization[..Math.Min(authorization.Length, 30)]}\"", route.IsPublic ? reply.Status is 401 or 403 ? "is not public" : null : reply.Wrong(401));
            }

            var shouted = await bench.SendAsync(route.Method, "/V1" + bench.Path(route)[3..], authorization: "");
            Note(failures, $"{route} in capitals", route.IsPublic ? null : shouted.Wrong(401));
        }

        await bench.StandsAsync(failures);
    }

    [Fact]
    public async Task Method_ThatTheRouteHasNot_Is405()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        foreach (var route in HostileTable.Routes)
        {
            foreach (var method in (string[])["PATCH", "OPTIONS", "TRACE", "PROPFIND"])
            {
                Note(failures, $"{method} {route.Pattern}", (await bench.SendAsync(method, bench.Path(route))).Wrong(404, 405));
            }
        }

        await bench.StandsAsync(failures);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Path_WithOddParameters_IsRefusedOrFindsNothing(string engine)
    {
        var (bench, failures) = (await benches.OfAsync(engine), new List<string>());
        foreach (var route in HostileTable.Routes)
        {
            foreach (var name in bench.Usual(route).Select(static parameter => parameter.Name))
            {
                foreach (var (value, statuses) in HostilePaths.Of(route, name))
                {
                    // A good body, so that the parameter is what is wrong.
                    var body = route.Body switch { HostileBody.None => null, HostileBody.Ignored => "a=b", _ when name == "email" => "{\"status\":\"subscribed\"}", _ => bench.Sample(route) };
                    var sent = route.Pattern == "/v1/recipients/{email}" && body is not null ? "{}" : body;
                    var reply = await bench.SendAsync(route.Method, bench.Path(route, name, value), sent is null ? null : Encoding.UTF8.GetBytes(sent));
                    Note(failures, $"{route} {name}={value[..Math.Min(value.Length, 80)]}", reply.WrongAt(name, null, statuses));
                }
            }
        }

        foreach (var (path, status) in (IEnumerable<(string, int)>)[("/v1/recipients/" + new string('a', 1 << 20), 414), ("/v1/%2e%2e/v1/nothing", 404), ("/v1/providers/1/nothing", 404)])
        {
            Note(failures, path[..Math.Min(path.Length, 80)], (await bench.SendAsync("GET", path)).Wrong(status));
        }

        await bench.StandsAsync(failures);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Query_WithOddValues_IsRefusedOrFindsNothing(string engine)
    {
        var (bench, failures) = (await benches.OfAsync(engine), new List<string>());
        foreach (var route in HostileTable.Routes)
        {
            foreach (var name in route.Query)
            {
                foreach (var (value, statuses) in HostilePaths.OfQuery(name))
                {
                    var reply = await bench.SendAsync(route.Method, $"{bench.Path(route)}?{name}={value}", route.Body == HostileBody.Lines ? [] : null, "application/x-ndjson");
                    Note(failures, $"{route} {name}={value[..Math.Min(value.Length, 80)]}", reply.WrongAt(name, null, statuses));
                }
            }
        }

        await bench.StandsAsync(failures);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Body_ThatIsHostile_IsRefusedAtItsPlace_AndStoresNothing(string engine)
    {
        var (bench, failures) = (await benches.OfAsync(engine), new List<string>());
        foreach (var route in JsonRoutes)
        {
            var cases = HostileCases.Broken(bench.Sample(route)).Concat(HostileCases.Made(route, bench.Sample(route))).ToLookup(static one => one.MayPass);
            var before = await bench.StoredAsync();
            foreach (var one in cases[false])
            {
                var reply = await bench.SendAsync(route.Method, bench.Path(route), one.Body);
                Note(failures, $"{route}, {one.Name}", reply.WrongAt(one.Pointer, one.Says, one.Statuses));
            }

            Note(failures, route.ToString(), before == await bench.StoredAsync() ? null : "stored something of what it refused");
            foreach (var one in cases[true])
            {
                var reply = await bench.SendAsync(route.Method, bench.Path(route), one.Body);
                Note(failures, $"{route}, {one.Name}", reply.Wrong([200, 201, .. one.Statuses]));
            }

            // The sample itself is good, or the cases above prove nothing.
            var good = await bench.SendAsync(route.Method, bench.Path(route), Encoding.UTF8.GetBytes(bench.Sample(route)));
            Note(failures, $"{route}, the sample", good.Wrong(200, 201));
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
            Note(failures, $"{route}, {one.Name}", reply.Status == 200 && !broken.Contains(one) && (int)reply.Json!["PROCESSED_EVENTS"]! == 0 ? reply.Wrong(200) : reply.Wrong(400));
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
                Note(failures, $"{name} as {type}", reply.Wrong(200, 422) ?? (reply.Status == 200 && (long)reply.Json!["inserted"]! + (long)reply.Json["updated"]! > 0 ? $"took {reply.Body}" : null));
            }
        }

        Note(failures, "import", before == await bench.StoredAsync() ? null : "stored something of what it refused");
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
                Note(failures, $"{route} as \"{type}\"", (await bench.SendAsync(route.Method, bench.Path(route), body, type)).Wrong(415));
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
                Note(failures, $"{route} in {name}", (await bench.SendAsync(route.Method, bench.Path(route), bytes, type, headers: ("Content-Encoding", name))) is var reply && reply.IsOwnShape
                    ? reply.Wrong(200, 415) : reply.Wrong(415));
            }
        }

        await bench.StandsAsync(failures);
    }

    [Fact]
    public async Task IfMatch_StaleOrBroken_IsRefused_AndTheCurrentOnePasses()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        foreach (var route in HostileTable.Routes.Where(static route => route.HasETag))
        {
            var path = bench.Path(route);
            using var read = await bench.Application.Client.GetAsync(path);
            var current = read.Headers.ETag!.ToString();
            foreach (var (tag, status) in new[] { ("\"0\"", 412), ($"W/{current}", 412), ("\"x\", \"y\"", 412), ("7", 400), ("\"", 400), ("\"a\" \"b\"", 400), ("*", 200) })
            {
                var reply = await bench.SendAsync(route.Method, path, Encoding.UTF8.GetBytes(bench.Sample(route)), headers: ("If-Match", tag));
                Note(failures, $"{route} If-Match: {tag}", reply.Wrong(status));
            }

            using var again = await bench.Application.Client.GetAsync(path);
            Note(failures, $"{route} with the current version", (await bench.SendAsync(
                route.Method, path, Encoding.UTF8.GetBytes(bench.Sample(route)), headers: ("If-Match", again.Headers.ETag!.ToString()))).Wrong(200));
            Note(failures, $"{route} with the version before", (await bench.SendAsync(
                route.Method, path, Encoding.UTF8.GetBytes(bench.Sample(route)), headers: ("If-Match", again.Headers.ETag!.ToString()))).Wrong(412));
        }

        await bench.StandsAsync(failures);
    }

    [Fact]
    public async Task IdempotencyKey_Repeated_CreatesOnce_AndNeverForAnotherBody()
    {
        var (bench, failures) = (await benches.OfAsync(Sqlite), new List<string>());
        foreach (var route in HostileTable.Routes.Where(static route => route.IsIdempotent))
        {
            var (path, key) = (bench.Path(route), ("Idempotency-Key", $"hostile {route}"));
            var body = bench.Unique(Encoding.UTF8.GetBytes(bench.Sample(route)));
            var first = await bench.SendAsync(route.Method, path, body, headers: key);
            Note(failures, $"{route} first", first.Wrong(200, 201));
            var stored = await bench.StoredAsync();
            var second = await bench.SendAsync(route.Method, path, body, headers: key);
            Note(failures, $"{route} again", second.Body == first.Body && second.Status == first.Status ? null : $"answers differ: {second.Status} {second.Body}");
            Note(failures, $"{route} again with another body", (await bench.SendAsync(route.Method, path, [.. body, (byte)' '], headers: key)).Wrong(422));
            foreach (var bad in (string[])[" ", new('k', 256), "a\tb", new('k', 4000)])
            {
                Note(failures, $"{route} with a key of {bad.Length}", (await bench.SendAsync(route.Method, path, body, headers: ("Idempotency-Key", bad))).Wrong(400));
            }

            Note(failures, route.ToString(), stored == await bench.StoredAsync() ? null : "a repetition changed something");
        }

        await bench.StandsAsync(failures);
    }

    private static void Note(List<string> failures, string what, string? wrong)
    {
        if (wrong is not null)
        {
            failures.Add($"{what}: {wrong}");
        }
    }

    /// <summary>Members of the contract that the sample does not show: their hostile cases would be missing.</summary>
    private static IEnumerable<string> Lacking(JsonTypeInfo type, string pointer, HostileRoute route, string sample)
    {
        var root = System.Text.Json.Nodes.JsonNode.Parse(sample);
        var places = JsonPlaces.All(root).ToHashSet();
        foreach (var property in type.Kind == JsonTypeInfoKind.Object ? type.Properties.Where(static property => property.Set is not null || property.AssociatedParameter is not null) : [])
        {
            var child = JsonPointer.Child(pointer, property.Name);
            if (!places.Contains(child) && !route.Absent.Contains(child))
            {
                yield return $"{route}: its sample lacks {child}";
            }

            var inner = type.Options.GetTypeInfo(property.PropertyType);
            var (below, element) = inner.Kind == JsonTypeInfoKind.Enumerable ? ($"{child}/0", type.Options.GetTypeInfo(inner.ElementType!)) : (child, inner);
            foreach (var lacking in Lacking(element, below, route, sample))
            {
                yield return lacking;
            }
        }
    }

    private async Task<Dictionary<string, RouteEndpoint>> MappedAsync() =>
        (await benches.OfAsync(Sqlite)).Application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(static endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["any"])
                .Select(method => (Key: $"{method} /{endpoint.RoutePattern.RawText!.Trim('/')}", Endpoint: endpoint)))
            .ToDictionary(static pair => pair.Key, static pair => pair.Endpoint);
}
