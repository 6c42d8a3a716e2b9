using System.Text;
using GenericHttpEsp.Storage;
using Npgsql;

namespace GenericHttpEsp.Tests.Storage;

/// <summary>Everything that is stored, as bytes: the embedded files with their logs, or a COPY of every table.</summary>
internal static class LedgerDump
{
    public static async Task<string> ReadAsync(LedgerDatabase database, string folder)
    {
        if (database.Engine == StorageEngine.PostgreSql)
        {
            return await TablesAsync(database);
        }

        var files = new StringBuilder();
        foreach (var file in Directory.GetFiles(folder).Where(static file => Path.GetFileName(file) != "lock").Order())
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes);
            files.Append(Encoding.Latin1.GetString(bytes.GetBuffer(), 0, (int)bytes.Length)).Append('\n');
        }

        return files.ToString();
    }

    /// <summary>Those of the words that stand in the dump, in any case.</summary>
    public static List<string> Hits(string dump, IEnumerable<string> words) =>
        [.. words.Where(word => dump.Contains(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(word)), StringComparison.OrdinalIgnoreCase))];

    private static async Task<string> TablesAsync(LedgerDatabase database)
    {
        await using var session = await database.OpenSessionAsync(TestContext.Current.CancellationToken);
        var tables = await session.QueryAsync(
            "select quote_ident(relname) from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1", static row => row.GetString(0));
        Assert.Contains("profiles", tables);
        var text = new StringBuilder();
        foreach (var table in tables)
        {
            // Binary: texts and bytea stand in it as they are.
            await using var copy = await ((NpgsqlConnection)session.Connection).BeginRawBinaryCopyAsync($"copy (select * from {table}) to stdout (format binary)");
            using var bytes = new MemoryStream();
            await copy.CopyToAsync(bytes);
            text.Append(Encoding.Latin1.GetString(bytes.GetBuffer(), 0, (int)bytes.Length)).Append('\n');
        }

        return text.ToString();
    }
}
