using System.Globalization;

namespace GenericHttpEsp.Benchmarks;

/// <summary>One import and one campaign through real processes: server, sandbox ESP, this client.</summary>
internal static class LoadRun
{
    private const string Key = "load-driver-key-load-driver-key-0";

    // People in one import call: what this client keeps in memory, whatever the audience.
    private const int ImportRows = 250_000;

    public static async Task<LoadResult> RunAsync(LoadOptions options, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("ghe-load-").FullName;
        try
        {
            var (sandbox, esp) = await LoadProcess.StartAsync(
                folder, ["sandbox", "--Sandbox:KeepAddresses=false", "--Sandbox:KeepBodies=0", "--Sandbox:LogEntriesMax=1024"], cancellationToken);
            using (sandbox)
            {
                return await RunAsync(options, folder, esp, sandbox, cancellationToken);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<LoadResult> RunAsync(LoadOptions options, string folder, Uri esp, LoadProcess sandbox, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var (server, address) = await LoadProcess.StartAsync(folder, ServerArguments(options, folder), cancellationToken);
        using var process = server;
        using var client = new LoadClient(address, Key);

        var result = await ImportAsync(options, client, server, cancellationToken);
        using var sink = new LoadEsp(esp);
        var provider = await client.ProviderAsync(sink.Endpoint, options, cancellationToken);
        await (options.Events > 0 ? sink.ReportAsync(options.Events, (string)provider["callbackUrl"]!, cancellationToken) : Task.CompletedTask);
        var campaign = await client.CampaignAsync((long)provider["id"]!, options, cancellationToken);
        var (begun, cpu) = (time.GetTimestamp(), server.Cpu);
        var espCpu = sandbox.Cpu;
        var first = FirstMessageAsync(sink, begun, cancellationToken);
        await client.StartAsync(campaign, cancellationToken);
        var startTime = time.GetElapsedTime(begun);
        var stats = await client.EndAsync(campaign, cancellationToken);
        result = result with
        {
            StartTime = startTime,
            FirstMessageTime = await first,
            SendTime = time.GetElapsedTime(begun),
            SendCpu = server.Cpu - cpu,
            EspCpu = sandbox.Cpu - espCpu,
            Accepted = (long)stats["accepted"]!,
            Unknown = (long)stats["unknown"]!,
            PeakBytes = await server.PeakBytesAsync(cancellationToken),
            Problems = (await client.VerifyAsync(campaign, cancellationToken))["problems"]!.AsArray().Count,
        };
        result = result with { Reads = await client.ReadAsync(campaign, options.Recipients, cancellationToken) };
        result = options.Events > 0
            ? result with { Aftermath = await LoadAftermath.RunAsync(options, client, sink, (long)provider["id"]!, campaign, cancellationToken) }
            : result;
        await server.TerminateAsync(cancellationToken);
        return result with
        {
            Transactions = Transactions(server.Output),
            Batches = await LoadDatabase.BatchesAsync(options, folder, cancellationToken),
            DatabaseBytes = await LoadDatabase.BytesAsync(options, folder, cancellationToken),
        };
    }

    private static async Task<TimeSpan> FirstMessageAsync(LoadEsp esp, long begun, CancellationToken cancellationToken)
    {
        await esp.AcceptedAsync(0, cancellationToken);
        return TimeProvider.System.GetElapsedTime(begun);
    }

    private static async Task<LoadResult> ImportAsync(LoadOptions options, LoadClient client, LoadProcess server, CancellationToken cancellationToken)
    {
        var result = new LoadResult(options);
        for (var first = 0; first < options.Recipients; first += ImportRows)
        {
            var people = LoadClient.People(first, Math.Min(ImportRows, options.Recipients - first));
            var (begun, cpu) = (TimeProvider.System.GetTimestamp(), server.Cpu);
            await client.ImportAsync(people, cancellationToken);
            result = result with
            {
                ImportTime = result.ImportTime + TimeProvider.System.GetElapsedTime(begun),
                ImportCpu = result.ImportCpu + (server.Cpu - cpu),
            };
        }

        return result with { ImportPeakBytes = await server.PeakBytesAsync(cancellationToken) };
    }

    private static string[] ServerArguments(LoadOptions options, string folder) =>
    [
        "--Urls=http://127.0.0.1:0", $"--Storage:DataDirectory={folder}", $"--Api:BootstrapKey={Key}", "--Dispatch:AllowedNetworks:0=127.0.0.1",
        "--Logging:LogLevel:GenericHttpEsp.Storage=Debug",
        .. options.Postgres is { } postgres ? (string[])[$"--ConnectionStrings:Postgres={postgres}", $"--Secrets:KeyFile={folder}/secret.key"] : [],
        .. options.Server,
    ];

    // The writer says it at its end.
    private static long? Transactions(IEnumerable<string> output)
    {
        const string Mark = "The writer ends after ";
        var line = output.LastOrDefault(static line => line.Contains(Mark, StringComparison.Ordinal));
        return line is null ? null : long.Parse(line[(line.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)..].Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
