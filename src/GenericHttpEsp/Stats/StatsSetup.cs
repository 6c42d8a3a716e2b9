namespace GenericHttpEsp.Stats;

internal static class StatsSetup
{
    public static void AddStats(this IServiceCollection services)
    {
        services.AddSingleton<EventPartitions>();
        services.AddSingleton<EventReader>();
        services.AddSingleton<ProviderRates>();
    }

    public static void MapStats(this IEndpointRouteBuilder routes)
    {
        routes.MapEventsExport();
        routes.MapProviderStats();
    }
}
