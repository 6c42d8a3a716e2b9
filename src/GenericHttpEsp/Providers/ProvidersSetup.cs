using GenericHttpEsp.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GenericHttpEsp.Providers;

/// <summary>The slice's services. <see cref="ITestSender"/> and <see cref="IEndpointGuard"/> come with the ESP client.</summary>
internal static class ProvidersSetup
{
    public static void AddProviders(this IServiceCollection services)
    {
        services.TryAddSingleton<GrainStates>();
        services.AddSingleton<SecretVault>();
        services.AddSingleton<ProviderCatalog>();
        services.AddSingleton<ProviderIndex>();
        services.AddSingleton<ProviderEditor>();
        services.AddSingleton<Trial>();
    }
}
