using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Callbacks;

internal static class CallbacksSetup
{
    public static void AddCallbacks(this IServiceCollection services)
    {
        services.AddOptions<CallbacksOptions>().BindConfiguration(CallbacksOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<CallbackGate>();
        services.AddSingleton<CallbackIntake>();
        services.AddSingleton<CallbacksApi>();
        services.AddSingleton<EventNews>();
        services.AddSingleton<EventWriter>();
        services.AddSingleton<QuarantineStore>();
        services.AddSingleton<IRetentionJob>(static provider => provider.GetRequiredService<QuarantineStore>());
        services.AddSingleton<Timeline>();
    }

    public static void MapCallbacks(this IEndpointRouteBuilder routes)
    {
        CallbacksApi.Map(routes);
        routes.MapQuarantine();
        routes.MapTimeline();
    }
}
