using System.Globalization;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.Benchmarks;

/// <summary>One import and one campaign through real processes: server, sandbox ESP, this client.</summary>
internal static class LoadRun
{
    private const string Key = "load-driver-key-load-driver-key-0";

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
        var people = LoadClient.People(options.Recipients);
        var (server, address) = await LoadProcess.StartAsync(folder, ServerArguments(options, folder), cancellationToken);
        using var process = server;
        using var client = new LoadClient(address, Key);

        var (begun, cpu) = (time.GetTimestamp(), server.Cpu);
        await client.ImportAsync(people, cancellationToken);
        var result = new LoadResult(options) { ImportTime = time.GetElapsedTime(begun), ImportCpu = server.Cpu - cpu };

        var campaign = await client.CampaignAsync(esp, options, cancellationToken);
        (begun, cpu) = (time.GetTimestamp(), server.Cpu);
        var espCpu = sandbox.Cpu;
        await client.StartAsync(campaign, cancellationToken);
        var startTime = time.GetElapsedTime(begun);
        var stats = await client.EndAsync(campaign, cancellationToken);
        result = result with
        {
            StartTime = startTime,
            SendTime = time.GetElapsedTime(begun),
            SendCpu = server.Cpu - cpu,
            EspCpu = sandbox.Cpu - espCpu,
            Accepted = (long)stats["accepted"]!,
            PeakBytes = await server.PeakBytesAsync(cancellationToken),
            Problems = (await client.VerifyAsync(campaign, cancellationToken))["problems"]!.AsArray().Count,
        };
        result = result with { Reads = await client.ReadAsync(campaign, options.Recipients, cancellationToken) };
        await server.TerminateAsync(cancellationToken);
        return result with
        {
            Transactions = Transactions(server.Output),
            Batches = options.Postgres is null ? await BatchesAsync(folder, cancellationToken) : null,
            DatabaseBytes = Directory.GetFiles(folder, "*.db*").Sum(static file => new FileInfo(file).Length),
        };
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

    private static async Task<long?> BatchesAsync(string folder, CancellationToken cancellationToken)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "ledger.db")};Pooling=False");
        await connection.OpenAsync(cancellationToken);
        await using var count = connection.CreateCommand();
        count.CommandText = "select count(*) from batches";
        return (long?)await count.ExecuteScalarAsync(cancellationToken);
    }
}
