using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

internal static class StatsSetup
{
    public static void AddStats(this IServiceCollection services)
    {
        services.AddSingleton<EventReader>();
        services.AddSingleton<IRetentionJob, EventRetention>();
        services.AddSingleton<ProviderRates>();
    }

    public static void MapStats(this IEndpointRouteBuilder routes)
    {
        routes.MapEventsExport();
        routes.MapProviderStats();
    }
}
