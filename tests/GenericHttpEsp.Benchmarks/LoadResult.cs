using System.Globalization;
using System.Text;

namespace GenericHttpEsp.Benchmarks;

/// <summary>What a run took.</summary>
internal sealed record LoadResult(LoadOptions Options)
{
    public TimeSpan ImportTime { get; init; }

    public TimeSpan ImportCpu { get; init; }

    /// <summary>The server's most until the import's end.</summary>
    public long ImportPeakBytes { get; init; }

    /// <summary>The start call: the audience is fixed within it.</summary>
    public TimeSpan StartTime { get; init; }

    /// <summary>From the start call to the first message that the ESP accepted.</summary>
    public TimeSpan FirstMessageTime { get; init; }

    /// <summary>From the start call to the event that says completed.</summary>
    public TimeSpan SendTime { get; init; }

    public TimeSpan SendCpu { get; init; }

    public TimeSpan EspCpu { get; init; }

    public long Accepted { get; init; }

    /// <summary>Whose answers were lost.</summary>
    public long Unknown { get; init; }

    public long PeakBytes { get; init; }

    public long DatabaseBytes { get; init; }

    /// <summary>What the recount found wrong.</summary>
    public int Problems { get; init; }

    public long? Batches { get; init; }

    public long? Transactions { get; init; }

    /// <summary>Reports at this size, the slowest of some calls.</summary>
    public IReadOnlyList<(string Path, TimeSpan Slowest)> Reads { get; init; } = [];

    /// <summary>What followed the campaign.</summary>
    public IReadOnlyList<(string Name, string Value)> Aftermath { get; init; } = [];

    public string Table()
    {
        var people = Options.Recipients;
        (string Name, FormattableString Value)[] rows =
        [
            ("recipients, batch, HTML", $"{people:N0}, {Options.Batch:N0}, {Options.HtmlKilobytes} KB"),
            ("engine", $"{(Options.Postgres is null ? "SQLite" : "PostgreSQL")}"),
            ("import", $"{people / ImportTime.TotalSeconds:N0} rows/s, {ImportCpu.TotalMicroseconds / people:N1} us CPU a row"),
            ("start (audience fixed)", $"{StartTime.TotalMilliseconds:N0} ms"),
            ("first message accepted after", $"{FirstMessageTime.TotalMilliseconds:N0} ms"),
            ("sending", $"{Accepted / SendTime.TotalSeconds:N0} messages/s in {SendTime.TotalSeconds:N1} s"),
            ("server CPU", $"{SendCpu.TotalMicroseconds / Math.Max(Accepted, 1):N1} us a message"),
            ("sandbox CPU", $"{EspCpu.TotalMicroseconds / Math.Max(Accepted, 1):N1} us a message"),
            ("server peak memory", $"{ImportPeakBytes / 1048576d:N0} MB after the import, {PeakBytes / 1048576d:N0} MB at the end"),
            ("database", $"{DatabaseBytes / 1048576d:N1} MB"),
            ("batches, transactions", $"{Batches:N0}, {Transactions:N0}"),
            ("accepted, unknown, problems found by verify", $"{Accepted:N0}, {Unknown:N0}, {Problems}"),
            .. Aftermath.Select(static row => (row.Name, (FormattableString)$"{row.Value}")),
            .. Reads.Select(static read => ($"GET {read.Path}", (FormattableString)$"{read.Slowest.TotalMilliseconds:N1} ms")),
        ];
        var table = new StringBuilder("| what | result |\n|---|---|\n");
        foreach (var (name, value) in rows)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {name} | {value.ToString(CultureInfo.InvariantCulture)} |").Append('\n');
        }

        return table.ToString();
    }
}
