using System.Text;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Api;

/// <summary>
/// Every route of the real server gets hostile input, made from <see cref="HostileTable"/>: the answer is one of a few refusals, told as the API tells them and
/// at once; nothing is stored, nothing is logged as an error, and the server goes on.
/// </summary>
[Collection(nameof(Hostile))]
public sealed class HostileRoutesTests(HostileBenches benches)
{
    private const string Sqlite = nameof(StorageEngine.Sqlite);

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
                failures.Note($"{route} with \"{authorization[..Math.Min(authorization.Length, 30)]}\"", route.IsPublic ? reply.Status is 401 or 403 ? "is not public" : null : reply.Wrong(401));
            }

            var shouted = await bench.SendAsync(route.Method, "/V1" + bench.Path(route)[3..], authorization: "");
            failures.Note($"{route} in capitals", route.IsPublic ? null : shouted.Wrong(401));
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
                failures.Note($"{method} {route.Pattern}", (await bench.SendAsync(method, bench.Path(route))).Wrong(404, 405));
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
                    failures.Note($"{route} {name}={value[..Math.Min(value.Length, 80)]}", reply.WrongAt(name, null, statuses));
                }
            }
        }

        foreach (var (path, status) in (IEnumerable<(string, int)>)[("/v1/recipients/" + new string('a', 1 << 20), 414), ("/v1/%2e%2e/v1/nothing", 404), ("/v1/providers/1/nothing", 404)])
        {
            failures.Note(path[..Math.Min(path.Length, 80)], (await bench.SendAsync("GET", path)).Wrong(status));
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
                    failures.Note($"{route} {name}={value[..Math.Min(value.Length, 80)]}", reply.WrongAt(name, null, statuses));
                }
            }
        }

        await bench.StandsAsync(failures);
    }
}
