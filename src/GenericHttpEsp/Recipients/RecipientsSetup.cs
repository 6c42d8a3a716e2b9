using GenericHttpEsp.Content;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Runtime.Hosting;

namespace GenericHttpEsp.Recipients;

internal static class RecipientsSetup
{
    /// <summary>The slice's services. <see cref="IForbidBarrier"/> comes with dispatch.</summary>
    public static void AddRecipients(this IServiceCollection services)
    {
        services.AddOptions<RecipientsOptions>().BindConfiguration(RecipientsOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<RecipientKey>();
        services.AddSingleton<ProfileStore>();
        services.AddSingleton<ListStore>();
        services.AddSingleton<AcknowledgedChanges>();
        // The installation's newest key is its last, the ring's its first.
        services.TryAddSingleton(static provider => new MetaKeyRing(
            [.. provider.GetRequiredService<InstallationKeys>().Meta.Reverse().Select(static key => new MetaKey(key.Id, key.Key))]));
        services.AddGrainStorage(
            RecipientGrainStorage.Name,
            static (provider, _) => new RecipientGrainStorage(provider.GetRequiredService<LedgerDatabase>(), provider.GetRequiredService<TimeProvider>()));
    }

    public static void MapRecipients(this IEndpointRouteBuilder routes)
    {
        routes.MapRecipientRoutes();
        routes.MapImport();
        routes.MapLists();
        routes.MapUnsubscribe();
    }
}
