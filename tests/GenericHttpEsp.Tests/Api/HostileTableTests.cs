using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Api;

/// <summary>A new route, member or parameter without its hostile cases fails here, and is told what to add.</summary>
[Collection(nameof(Hostile))]
public sealed class HostileTableTests(HostileBenches benches)
{
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
        var bench = await benches.OfAsync(nameof(StorageEngine.Sqlite));
        foreach (var route in HostileTable.Routes.Where(route => mapped.ContainsKey(route.ToString())))
        {
            var metadata = mapped[route.ToString()].Metadata;
            var contract = metadata.GetMetadata<IAcceptsMetadata>()?.RequestType;
            wrong.AddRange(contract is null || route.Body is not HostileBody.None ? [] : [$"{route}: it reads a {contract.Name}; say so and give a sample"]);
            wrong.AddRange(!route.IsJson || contract is null ? [] : Lacking(ApiJson.Options.GetTypeInfo(contract), "", route, bench.Sample(route)));
            var isPage = metadata.OfType<IProducesResponseTypeMetadata>().Any(static answer => answer.Type?.IsConstructedGenericType == true && answer.Type.GetGenericTypeDefinition() == typeof(Page<>));
            wrong.AddRange(isPage && !(route.Query.Contains("cursor") && route.Query.Contains("limit")) ? [$"{route}: it answers pages; add cursor and limit to Query"] : []);
            var inPath = bench.Usual(route).Select(static parameter => parameter.Name).ToArray();
            var bound = metadata.GetMetadata<MethodInfo>()?.GetParameters().Where(static parameter => IsText(parameter.ParameterType)).Select(static parameter => parameter.Name!) ?? [];
            wrong.AddRange(bound.Except(inPath).Except(route.Query).Select(name => $"{route}: add {name} to Query"));
        }

        Assert.Empty(wrong);
    }

    /// <summary>What minimal APIs bind from path or query.</summary>
    private static bool IsText(Type type) => type == typeof(string) || (Nullable.GetUnderlyingType(type) ?? type) is { IsPrimitive: true } or { IsEnum: true };

    /// <summary>Members of the contract that the sample does not show: their hostile cases would be missing.</summary>
    private static IEnumerable<string> Lacking(JsonTypeInfo type, string pointer, HostileRoute route, string sample)
    {
        var root = JsonNode.Parse(sample);
        var places = JsonPlaces.All(root).ToHashSet();
        if (type.Kind != JsonTypeInfoKind.Object)
        {
            yield break;
        }

        foreach (var property in type.Properties.Where(static property => property.Set is not null || property.AssociatedParameter is not null))
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
        (await benches.OfAsync(nameof(StorageEngine.Sqlite))).Application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(static endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["any"])
                .Select(method => (Key: $"{method} /{endpoint.RoutePattern.RawText!.Trim('/')}", Endpoint: endpoint)))
            .ToDictionary(static pair => pair.Key, static pair => pair.Endpoint);
}
