using System.Text;
using System.Text.Json;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>What is the same for many seeds: an empty migrated database, the installation's keys, the bound request.</summary>
internal sealed class SimulationSetup
{
    public const long Campaign = 7;
    public const long Provider = 1;
    public const int RunDate = 20261124;
    private static readonly DateTimeOffset StartedAt = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);

    private SimulationSetup(byte[] database, InstallationKeys keys) => (Database, Keys) = (database, keys);

    /// <summary>The file, migrated.</summary>
    public byte[] Database { get; }

    public InstallationKeys Keys { get; }

    public MetaKeyRing Ring { get; } = new([new('k', Encoding.ASCII.GetBytes("0123456789abcdef"))]);

    /// <summary>The breaker would finish its work on a thread of its own; it is no part of what is simulated. A short attempt makes for short seeds.</summary>
    public DispatchOptions Dispatch { get; private init; } = new();

    public int Silos { get; private init; } = 2;

    public RunTemplate Template { get; private init; } = null!;

    public DeliberateBreak Break { get; private init; } = new();

    public static async Task<SimulationSetup> CreateAsync()
    {
        var folder = Directory.CreateTempSubdirectory("ghe-simulation-").FullName;
        try
        {
            var storage = new StorageOptions { DataDirectory = folder };
            InstallationKeys keys;
            await using (var ledger = new SqliteLedger(Options.Create(storage), TimeProvider.System, NullLogger<SqliteLedger>.Instance))
            {
                await using (var session = await ledger.OpenSessionAsync(default))
                {
                    await Migrations.ApplyAsync(session.Connection, "sqlite", default);
                }

                keys = await InstallationKeys.LoadAsync(ledger, storage, new SecretsOptions(), 1234567890, TimeProvider.System, default);
            }

            return new SimulationSetup(await File.ReadAllBytesAsync(Path.Combine(folder, "ledger.db")), keys);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public SimulationSetup With(int silos, int batch, int requests, bool retries, DeliberateBreak deliberate)
    {
        var contract = new ProviderContract
        {
            Nickname = "esp",
            RequestType = "POST",
            Endpoint = "https://esp.example/send",
            Parameters = JsonDocument.Parse(
                """
                {"key":"$$BatchID","msgs":[{"to":"$$To","meta":"$$MessageID","subject":"$$Subject","name":"$$FromName","from":"$$FromAddress","html":"$$HTML"}]}
                """).RootElement,
            Batch = new BatchContract("msgs", Math.Max(batch, 2), null, null),
            OnUnknown = retries ? "retry" : "hold",
            Idempotency = retries ? new IdempotencyContract(3600) : null,
        };
        var content = new CampaignContent { Subject = "News", FromName = "Us", FromAddress = "us@example.com", Html = "<p>Hello {{ profile.issue | default: 0 }}</p>" };
        var template = RequestTemplate.Compile(contract).Template!;
        var bound = template.Bind(content, new RunFacts(Keys.AccountId, Campaign, 1, new DateOnly(2026, 11, 24), StartedAt, "https://mail.example/", Ring)).Template!;
        return new SimulationSetup(Database, Keys)
        {
            Silos = silos,
            Dispatch = new DispatchOptions { BreakerFailures = int.MaxValue, AttemptTimeoutSeconds = 5, RequestsInFlightMax = requests },
            Template = new RunTemplate(Campaign, 1, RunDate, new ProviderRuntime(Provider, 1, 1, "active", contract, template), bound),
            Break = deliberate,
        };
    }
}
