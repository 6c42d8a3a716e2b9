using System.Collections.Concurrent;
using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Compiled runs of this silo. A run is compiled once, and again only when its provider's secrets, limits or policies change; the pinned template version
/// stays.
/// </summary>
internal sealed class RunTemplates : IRunTemplates
{
    private const int RunsMax = 1000;
    private readonly IGrainFactory _grains;
    private readonly ProviderCatalog _providers;
    private readonly InstallationKeys _keys;
    private readonly MetaKeyRing _ring;
    private readonly ServerAddresses _addresses;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<(long Campaign, int Run), CompiledRun> _runs = [];

    public RunTemplates(
        LedgerDatabase database,
        IGrainFactory grains,
        ProviderCatalog providers,
        InstallationKeys keys,
        MetaKeyRing ring,
        ServerAddresses addresses,
        ILogger<RunTemplates> logger)
    {
        (_grains, _providers, _keys, _ring, _addresses, _logger) = (grains, providers, keys, ring, addresses, logger);
        // A start that was forgotten may be made again with other content, under the same number.
        database.WentBack += _runs.Clear;
    }

    /// <summary>Of this silo.</summary>
    public string PublicUrl => _addresses.PublicUrl;

    public async ValueTask<RunTemplate> GetAsync(long campaignId, int run, CancellationToken cancellationToken)
    {
        _runs.TryGetValue((campaignId, run), out var compiled);
        var plan = compiled?.Plan ?? await PlanAsync(campaignId, run);
        var provider = await _providers.GetAsync(plan.ProviderId, plan.ProviderVersion, cancellationToken)
            ?? throw new InvalidOperationException($"Provider {plan.ProviderId} version {plan.ProviderVersion} of campaign {campaignId} is gone.");
        if (compiled is not null && compiled.Template.Provider.Revision == provider.Revision)
        {
            return compiled.Template;
        }

        var contract = JsonSerializer.Deserialize<CampaignContract>(plan.Contract, ApiJson.Options)!;
        var binding = Bind(provider, contract, campaignId, run, plan.RunDate, plan.StartedAt, plan.PublicUrl ?? PublicUrl);
        if (binding.Template is not { } bound)
        {
            _logger.LogErrorOfBinding(campaignId, run);
            throw new InvalidOperationException($"Campaign {campaignId} no longer fits its provider: {string.Join("; ", binding.Errors.SelectMany(error => error.Value))}");
        }

        if (_runs.Count >= RunsMax)
        {
            // Whatever is still running comes back at its next use.
            _runs.Clear();
        }

        var template = new RunTemplate(campaignId, run, plan.RunDate, provider, bound);
        _runs[(campaignId, run)] = new CompiledRun(plan, template);
        return template;
    }

    /// <summary>Whether provider and content fit together; errors by JSON pointer into the campaign.</summary>
    public TemplateBinding Bind(ProviderRuntime provider, CampaignContract contract, long campaignId, int run, int runDate, DateTimeOffset startedAt, string publicUrl)
    {
        var content = new CampaignContent
        {
            Subject = contract.Subject,
            FromName = contract.FromName,
            FromAddress = contract.FromAddress,
            ReplyToAddress = contract.ReplyToAddress,
            Cc = contract.Cc,
            Bcc = contract.Bcc,
            Html = contract.Html,
            Plaintext = contract.Plaintext,
            AmpHtml = contract.AmpHtml,
            Values = contract.Values,
        };
        var date = new DateOnly(runDate / 10000, runDate / 100 % 100, runDate % 100);
        return provider.Template.Bind(content, new RunFacts(_keys.AccountId, campaignId, run, date, startedAt, publicUrl, _ring));
    }

    private async Task<RunPlan> PlanAsync(long campaignId, int run) =>
        await _grains.GetGrain<ICampaignGrain>(campaignId).GetPlanAsync(run)
        ?? throw new InvalidOperationException($"Campaign {campaignId} has no run {run}.");

    private sealed record CompiledRun(RunPlan Plan, RunTemplate Template);
}

internal static partial class RunTemplatesLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Run {Run} of campaign {CampaignId} no longer fits its provider")]
    public static partial void LogErrorOfBinding(this ILogger logger, long campaignId, int run);
}
