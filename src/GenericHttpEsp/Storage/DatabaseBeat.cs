using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Silos on PostgreSQL write a new word into the database about once a second, together, and each remembers the last one in memory and in a file. Base backups and
/// images of a server look exactly like the original, except for what silos remember of it and for what PostgreSQL itself forgets in a recovery: by these a silo
/// that starts finds out that its database was restored, and one that runs finds out that it has gone back.
/// </summary>
internal sealed partial class DatabaseBeat(LedgerDatabase database, IOptions<StorageOptions> storage, TimeProvider time, ILogger<DatabaseBeat> logger) : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // Silos that run beat at most 2 s apart; the rest is for a server that has just recovered.
    private static readonly TimeSpan OthersWithin = TimeSpan.FromSeconds(6);
    private readonly BeatFile _file = new(storage.Value.DataDirectory, logger);
    private string? _place;
    private Beat? _seen;

    /// <summary>Before the silo starts: judges the database, marks it if it was restored, and beats.</summary>
    /// <param name="place">The database's identity: what is remembered of others does not count.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task PrepareAsync(string place, CancellationToken cancellationToken)
    {
        _place = place;
        var memory = await _file.ReadAsync(place, cancellationToken);
        while (!await IsJudgedAsync(memory, cancellationToken))
        {
            // Another silo beat meanwhile: it may have judged, or may be one that vouches.
        }

        await BeatAsync(cancellationToken);
    }

    private async Task<bool> IsJudgedAsync(BeatMemory? memory, CancellationToken cancellationToken)
    {
        var row = await ReadAsync(cancellationToken);
        var (verdict, because) = BeatRules.Judge(row, memory, storage.Value.TrustsFailover);
        return verdict == BeatVerdict.Known
            || (verdict == BeatVerdict.Doubtful && await IsAliveAsync(row.Last!, cancellationToken))
            || await MarkAsync(row, because, cancellationToken);
    }

    /// <summary>
    /// A beat, if the last one is a second old. What was seen last must still be there, or something later: connections are compared by the position of the log,
    /// but that of a copy may have moved beyond the original's meanwhile.
    /// </summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        // Opened anew: that looks at the database too.
        await using var session = await database.OpenSessionAsync(cancellationToken);
        var row = await BeatStore.ReadAsync(session);
        if (_seen is { } seen && (row.Last is null || row.Last.IsBefore(seen)))
        {
            var because = "what its silos wrote last is not in it";
            LogGoneBack(because);
            await RestoreMark.SetAsync(session, because);
            database.TellWentBack();
        }

        if (row.Last is { } last && row.IsUnbroken && row.LastTimeline == row.Timeline && row.IsFresh(Every))
        {
            await SeenAsync(last, null, cancellationToken);
            return;
        }

        var next = new Beat(Math.Max(row.Now, (row.Last?.At ?? 0) + 1), HomeFile.NewWord());
        await (row.Last is null ? Task.CompletedTask : SeenAsync(row.Last, next, cancellationToken));
        if (await BeatStore.ReplaceAsync(session, row.Last, next, row.Timeline))
        {
            await SeenAsync(next, null, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_place is null)
        {
            return;
        }

        await Background.EveryAsync(Every, time, TryBeatAsync, stoppingToken);
    }

    private async Task TryBeatAsync(CancellationToken stoppingToken)
    {
        try
        {
            await BeatAsync(stoppingToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogMissed(failure);
        }
    }

    /// <summary>Somebody else beats here: a silo that runs, and that knows this database.</summary>
    private async Task<bool> IsAliveAsync(Beat last, CancellationToken cancellationToken)
    {
        LogAsking();
        var began = time.GetTimestamp();
        do
        {
            await Task.Delay(Every, time, cancellationToken);
            if ((await ReadAsync(cancellationToken)).Last != last)
            {
                return true;
            }
        }
        while (time.GetElapsedTime(began) < OthersWithin);
        return false;
    }

    /// <summary>The first of the silos that start on it; the others find it done.</summary>
    private Task<bool> MarkAsync(BeatRow row, string because, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        async session =>
        {
            var next = new Beat(Math.Max(row.Now, row.Last!.At + 1), HomeFile.NewWord());
            if (!await BeatStore.ReplaceAsync(session, row.Last, next, row.Timeline))
            {
                return false;
            }

            await RestoreMark.SetAsync(session, because);
            // They belong to the original. If they still run, this copy must not call them.
            await session.ExecuteAsync("delete from OrleansMembership");
            return true;
        },
        cancellationToken: cancellationToken);

    private Task<BeatRow> ReadAsync(CancellationToken cancellationToken) => database.ReadAsync(BeatStore.ReadAsync, cancellationToken);

    private Task SeenAsync(Beat seen, Beat? next, CancellationToken cancellationToken)
    {
        _seen = seen;
        return _file.WriteAsync(_place!, seen, next, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This database may be a copy; waiting for a silo that knows it")]
    private partial void LogAsking();

    [LoggerMessage(Level = LogLevel.Error, Message = "The database has gone back: {Because}. All campaigns are paused")]
    private partial void LogGoneBack(string because);

    [LoggerMessage(Level = LogLevel.Debug, Message = "No beat; trying again")]
    private partial void LogMissed(Exception failure);
}
