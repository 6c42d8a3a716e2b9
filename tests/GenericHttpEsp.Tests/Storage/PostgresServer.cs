using System.Diagnostics;
using GenericHttpEsp.Wiring;
using Npgsql;

[assembly: AssemblyFixture(typeof(GenericHttpEsp.Tests.Storage.PostgresServer))]

namespace GenericHttpEsp.Tests.Storage;

/// <summary>A private PostgreSQL on loopback, made from the installed binaries at the first use, gone with the test run.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-pg-").FullName;
    private string? _connectionString;
    private int _databases;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Connection string of a new, empty database.</summary>
    public async Task<string> NewDatabaseAsync(CancellationToken cancellationToken)
    {
        var server = await StartedAsync(cancellationToken);
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync(cancellationToken);
        await using var create = new NpgsqlCommand($"create database {name}", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
        // Orleans' own pools outlive the application: what stands idle in hundreds of them would use up the server's connections.
        return new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 30, ConnectionIdleLifetime = 10, ConnectionPruningInterval = 5 }.ToString();
    }

    /// <summary>Dumps a database that may be in use; <see cref="RestoreAsync"/> makes another one of it.</summary>
    public async Task<string> DumpAsync(string connectionString, CancellationToken cancellationToken)
    {
        var file = $"{_folder}/{Guid.NewGuid():n}.sql";
        await RunAsync($"{Binaries()}/pg_dump -f {file} {Arguments(connectionString)}", cancellationToken);
        return file;
    }

    public async Task<string> RestoreAsync(string file, CancellationToken cancellationToken)
    {
        var database = await NewDatabaseAsync(cancellationToken);
        await RunAsync($"{Binaries()}/psql -q -v ON_ERROR_STOP=1 -f {file} {Arguments(database)}", cancellationToken);
        return database;
    }

    private static string Arguments(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return $"-h {settings.Host} -p {settings.Port} -U {settings.Username} {settings.Database}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_connectionString is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await RunAsync($"{Binaries()}/pg_ctl -D {_folder}/data -m immediate stop", CancellationToken.None);
        }

        Directory.Delete(_folder, recursive: true);
        _starting.Dispose();
    }

    private async Task<string> StartedAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            return _connectionString ??= await StartAsync(cancellationToken);
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        var port = FreePort.Take();
        var user = Environment.UserName == "root" ? "postgres" : Environment.UserName;
        await ShellAsync($"chmod 777 {_folder}", cancellationToken);
        await RunAsync($"{Binaries()}/initdb -D {_folder}/data -U test -A trust -E UTF8 --locale=C --no-sync", cancellationToken);
        await RunAsync(
            $"{Binaries()}/pg_ctl -D {_folder}/data -w -t 60 -l {_folder}/log -o \"-h 127.0.0.1 -p {port} -k {_folder} -c fsync=off -c max_connections=400\" start",
            cancellationToken);
        return $"Host=127.0.0.1;Port={port};Username=test;Database=postgres";
    }

    /// <summary>The server refuses to run as root: there it runs as the user postgres.</summary>
    private static Task RunAsync(string command, CancellationToken cancellationToken) =>
        ShellAsync(Environment.UserName == "root" ? $"runuser -u postgres -- {command}" : command, cancellationToken);

    private static async Task ShellAsync(string command, CancellationToken cancellationToken)
    {
        // Output goes to a file: the server inherits the pipes and would keep them open for ever.
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"cd / && {command} > /dev/null 2>&1"]);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"`{command}` ended with {process.ExitCode}.");
        }
    }

    private static string Binaries() =>
        Environment.GetEnvironmentVariable("PG_BIN")
        ?? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(folder => $"{folder}/bin").FirstOrDefault(folder => File.Exists($"{folder}/initdb"))
        ?? throw new InvalidOperationException("PostgreSQL's server binaries are not installed (Debian: apt-get install postgresql), or name their folder in PG_BIN.");
}
