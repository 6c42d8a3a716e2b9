using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>Registration of the slice.</summary>
internal static class DispatchSetup
{
    /// <param name="services">Needs <see cref="TimeProvider"/> and <see cref="LedgerDatabase"/>.</param>
    /// <param name="clusterWide">Other silos send too.</param>
    /// <param name="anyCampaignHasWork">Reads committed work rows; lets a change that forbids sending be acknowledged at once when nothing is sent.</param>
    public static IServiceCollection AddDispatch(
        this IServiceCollection services, bool clusterWide, Func<IServiceProvider, CancellationToken, ValueTask<bool>> anyCampaignHasWork)
    {
        services.AddOptions<DispatchOptions>().BindConfiguration(DispatchOptions.Section).ValidateDataAnnotations()
            .Validate(static options => options.AllowedNetworks.All(static entry => AllowedNetwork.Parse(entry) is not null)).ValidateOnStart();
        services.AddSingleton<IAddressResolver, DnsAddressResolver>();
        services.AddSingleton<NetworkPolicy>();
        services.AddSingleton<EndpointRules>();
        services.AddSingleton<GuardedHandler>();
        services.AddSingleton<EspClient>();
        services.AddSingleton<InFlight>();
        services.AddSingleton<LaneTenants>();
        services.AddSingleton(SiloName.Draw());
        services.AddSingleton<BudgetStore>();
        services.AddSingleton<IRetentionJob>(static provider => provider.GetRequiredService<BudgetStore>());
        services.AddSingleton<DeskStore>();
        services.AddSingleton(static provider => new SlotStore(
            provider.GetRequiredService<LedgerDatabase>(),
            provider.GetRequiredService<SiloName>(),
            ConcurrencySlots.GoodFor + provider.GetRequiredService<IOptions<DispatchOptions>>().Value.AttemptMax));
        services.AddSingleton<IEndpointGuard, EndpointGuard>();
        services.AddSingleton<ITestSender, TestSender>();
        services.AddSingleton(provider => new OpenClaims(
            provider.GetRequiredService<IOptions<DispatchOptions>>().Value.SendWindow,
            provider.GetRequiredService<TimeProvider>(),
            clusterWide,
            cancellationToken => anyCampaignHasWork(provider, cancellationToken),
            provider.GetRequiredService<IOptions<DispatchOptions>>().Value.OnTheWay));
        services.AddSingleton<ProviderDesks>();
        services.AddSingleton<RefusalWatch>();
        services.AddSingleton<BatchJudge>();
        services.AddSingleton<BatchSender>();
        services.AddHostedService(static provider => provider.GetRequiredService<BatchSender>());
        services.AddHostedService<DeskWatch>();
        services.AddSingleton<IForbidBarrier>(static provider => provider.GetRequiredService<OpenClaims>());
        return services;
    }
}
