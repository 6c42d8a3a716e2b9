using System.Diagnostics;
using System.Globalization;
using GenericHttpEsp.Wiring;
using Npgsql;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>
/// A private PostgreSQL made from the installed binaries, on loopback and a port of its own. Commits are flushed as in production, so it may be killed and
/// started again on what it left.
/// </summary>
internal sealed class PostgresProcess : IAsyncDisposable
{
    private const string User = "postgres";
    private readonly string _folder;
    private readonly string _data;
    private readonly string _options;
    private int _databases;

    private PostgresProcess(string folder, string data, int port, string listen, string more)
    {
        (_folder, _data, Port) = (folder, data, port);
        _options = $"-h {listen} -p {port} -k {folder} {more}";
    }

    public int Port { get; }

    /// <summary>What the server writes about itself; see <see cref="StatementLog"/>.</summary>
    public string LogFile => Path.Combine(_folder, "log");

    private string Backup => Path.Combine(_folder, "backup");

    /// <summary>Of the database that is always there.</summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Username=test;Database=postgres";

    /// <param name="dataDirectory">An empty directory that the user postgres may write, a tmpfs for example. Unset: one of its own.</param>
    /// <param name="listen">Addresses beside loopback too, for a <see cref="SiloNetwork"/>.</param>
    /// <param name="more">Settings as <c>-c name=value</c>.</param>
    public static async Task<PostgresProcess> StartAsync(string? dataDirectory = null, string more = "-c max_connections=400", string listen = "127.0.0.1")
    {
        var folder = Directory.CreateTempSubdirectory("ghe-fire-pg-").FullName;
        var postgres = new PostgresProcess(folder, dataDirectory ?? Path.Combine(folder, "data"), FreePort.Take(), listen, more);
        await ShellAsync($"chmod 777 {folder}");
        await ShellAsync(AsUser($"{Binaries()}/initdb -D {postgres._data} -U test -A trust -E UTF8 --locale=C --no-sync"));
        await File.AppendAllTextAsync(Path.Combine(postgres._data, "pg_hba.conf"), $"host all all {SiloNetwork.Range} trust\n");
        await postgres.RestartAsync();
        return postgres;
    }

    /// <summary>The same database as silos of a <see cref="SiloNetwork"/> reach it.</summary>
    public static string Remote(string database) => new NpgsqlConnectionStringBuilder(database) { Host = SiloNetwork.Host }.ToString();

    /// <summary>Connection string of a new, empty database.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"fire{Interlocked.Increment(ref _databases)}");
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database {name}", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name, MaxPoolSize = 30 }.ToString();
    }

    /// <summary>SIGKILL to the postmaster; returns when its children have noticed and ended too: until then they may commit, and truly.</summary>
    public Task KillAsync() => ShellAsync(
        $"master=$(head -n 1 {_data}/postmaster.pid); children=$(pgrep -P $master); kill -KILL $master; for child in $children; do while kill -0 $child; do sleep 0.05; done; done");

    /// <summary>SIGKILL to one child that serves this database; the others end with it, and the server recovers by itself.</summary>
    public async Task KillOneBackendAsync(string database)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var one = new NpgsqlCommand("select pid from pg_stat_activity where datname = @database and backend_type = 'client backend' limit 1", connection);
        one.Parameters.AddWithValue("database", database);
        await ShellAsync($"kill -KILL {await one.ExecuteScalarAsync()}");
    }

    /// <summary>Ends it without a checkpoint.</summary>
    public Task StopAsync() => ShellAsync(AsUser($"{Binaries()}/pg_ctl -D {_data} -m immediate -w stop"));

    /// <summary>A backup as operators take it, while everything goes on.</summary>
    public Task BackupAsync() => ShellAsync(AsUser($"{Binaries()}/pg_basebackup -h 127.0.0.1 -p {Port} -U test -D {Backup} -c fast -X stream --no-sync"));

    /// <summary>A base backup of it, started as a server of its own.</summary>
    public async Task<PostgresProcess> CloneAsync()
    {
        var folder = Directory.CreateTempSubdirectory("ghe-fire-pg-").FullName;
        var clone = new PostgresProcess(folder, Path.Combine(folder, "data"), FreePort.Take(), "127.0.0.1", "");
        await ShellAsync($"chmod 777 {folder}");
        await ShellAsync(AsUser($"{Binaries()}/pg_basebackup -h 127.0.0.1 -p {Port} -U test -D {clone._data} -c fast -X stream --no-sync"));
        await clone.RestartAsync();
        return clone;
    }

    /// <summary>A server of its own with a dump of one database under the same name.</summary>
    public async Task<PostgresProcess> DumpElsewhereAsync(string database)
    {
        var other = await StartAsync();
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        var dump = Path.Combine(other._folder, "dump.sql");
        await ShellAsync(AsUser($"{Binaries()}/pg_dump -h 127.0.0.1 -p {Port} -U test --create -f {dump} {name}"));
        await ShellAsync(AsUser($"{Binaries()}/psql -h 127.0.0.1 -p {other.Port} -U test -q -v ON_ERROR_STOP=1 -f {dump} postgres"));
        return other;
    }

    /// <summary>The database of the same name on this server.</summary>
    public string Here(string database) => new NpgsqlConnectionStringBuilder(database) { Port = Port }.ToString();

    /// <summary>The stopped server's data is replaced by the backup.</summary>
    public Task RestoreAsync() => ShellAsync($"mv {_data} {_data}.lost && mv {Backup} {_data}");

    /// <summary>Waits until it takes connections; started again if it is gone.</summary>
    public async Task ReadyAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await TryShellAsync($"{Binaries()}/pg_isready -h 127.0.0.1 -p {Port}"))
        {
            if (!await TryShellAsync($"kill -0 $(head -n 1 {_data}/postmaster.pid)"))
            {
                await RestartAsync();
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }

        NpgsqlConnection.ClearAllPools();
    }

    /// <summary>A signal to the postmaster.</summary>
    public Task SendAsync(string signal) => ShellAsync($"kill -{signal} $(head -n 1 {_data}/postmaster.pid)");

    /// <summary>Starts it on its data; returns when it takes connections.</summary>
    public async Task RestartAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        // Refused while children of a killed postmaster still hold the shared memory.
        while (!await TryShellAsync(AsUser($"{Binaries()}/pg_ctl -D {_data} -w -t 60 -l {LogFile} -o \"{_options}\" start")))
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        NpgsqlConnection.ClearAllPools();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await TryShellAsync(AsUser($"{Binaries()}/pg_ctl -D {_data} -m immediate stop"));
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The server refuses to run as root: there it runs as the user postgres.</summary>
    private static string AsUser(string command) => Environment.UserName == "root" ? $"runuser -u {User} -- {command}" : command;

    private static async Task ShellAsync(string command)
    {
        if (!await TryShellAsync(command))
        {
            throw new InvalidOperationException($"`{command}` failed.");
        }
    }

    private static async Task<bool> TryShellAsync(string command)
    {
        // Output goes to a file: the server inherits the pipes and would keep them open for ever.
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"cd / && {command} > /dev/null 2>&1"]);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    private static string Binaries() =>
        Environment.GetEnvironmentVariable("PG_BIN")
        ?? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(folder => $"{folder}/bin").FirstOrDefault(folder => File.Exists($"{folder}/initdb"))
        ?? throw new InvalidOperationException("PostgreSQL's server binaries are not installed (Debian: apt-get install postgresql), or name their folder in PG_BIN.");
}
