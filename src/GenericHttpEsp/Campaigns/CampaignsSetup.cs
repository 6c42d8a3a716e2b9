using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>Registration of the slice.</summary>
internal static class CampaignsSetup
{
    public static IServiceCollection AddCampaigns(this IServiceCollection services)
    {
        services.AddSingleton<AudienceStore>();
        services.AddSingleton<CampaignIndex>();
        services.AddSingleton<CampaignRuns>();
        services.AddSingleton<CampaignWorkStore>();
        services.AddSingleton<ClaimStore>();
        services.AddSingleton<ErrorStore>();
        services.AddSingleton<LedgerAudit>();
        services.AddSingleton<OutcomeStore>();
        services.AddSingleton<PartitionStore>();
        services.AddSingleton<RecordStore>();
        services.AddSingleton<PartitionWork>();
        services.AddSingleton<RepeatStore>();
        services.AddSingleton<RestoreHold>();
        services.AddSingleton<RetryStore>();
        services.AddSingleton<RunTemplates>();
        services.AddSingleton<UnknownStore>();
        services.AddSingleton<IRunTemplates>(static provider => provider.GetRequiredService<RunTemplates>());
        services.AddSingleton<IBatchLedger, BatchLedger>();
        services.AddSingleton<ICampaignControl, CampaignControl>();
        services.AddHostedService<CampaignSweeper>();
        return services;
    }
}
