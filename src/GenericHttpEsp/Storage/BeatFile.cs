namespace GenericHttpEsp.Storage;

/// <summary>
/// The silo's memory of a PostgreSQL database beyond its own end: the file <c>beat</c> in the data directory. Where that cannot be written, or does not outlive the
/// process, the silo has no memory, which is safe: other silos, or the server, must then vouch for the database.
/// </summary>
internal sealed partial class BeatFile(string directory, ILogger logger)
{
    private readonly HomeFile _file = new(directory, "beat");
    private string[] _lines = [];
    private bool _hasFailed;

    /// <summary>What is remembered of this database; of another one nothing.</summary>
    public async Task<BeatMemory?> ReadAsync(string place, CancellationToken cancellationToken)
    {
        try
        {
            return await _file.ReadAsync(cancellationToken) is [var known, var seen, .. var next] && known == place && Beat.Parse(seen) is { } beat
                ? new BeatMemory(beat, next is [var line] ? Beat.Parse(line) : null)
                : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogNoMemory(failure, directory);
            return null;
        }
    }

    /// <param name="place">Which database.</param>
    /// <param name="seen">In the database.</param>
    /// <param name="next">About to be written into it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WriteAsync(string place, Beat seen, Beat? next, CancellationToken cancellationToken)
    {
        string[] lines = next is null ? [place, seen.ToString()] : [place, seen.ToString(), next.ToString()];
        if (lines.SequenceEqual(_lines))
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(directory);
            await _file.WriteAsync(lines, cancellationToken);
            (_lines, _hasFailed) = (lines, false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (!_hasFailed)
            {
                LogNoMemory(failure, directory);
            }

            _hasFailed = true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The file beat in {Directory} cannot be used: after a crash of all silos and the database everything starts paused")]
    private partial void LogNoMemory(Exception failure, string directory);
}
