namespace GenericHttpEsp.Wiring;

/// <summary>One line an entry; and while the program starts, the host and Kestrel do not print stack traces of what is then explained in one line.</summary>
internal static class QuietConsole
{
    // The watchdog's first look, before anything runs, takes the machine's uptime for a deadlock.
    private static readonly string[] Starters =
        ["Microsoft.Extensions.Hosting.Internal.Host", "Microsoft.AspNetCore.Server.Kestrel", "Orleans.Runtime.Watchdog"];

    public static void AddQuietConsole(this ILoggingBuilder logging, StartedSignal? started)
    {
        logging.AddSimpleConsole(static options => (options.SingleLine, options.TimestampFormat, options.UseUtcTimestamp) = (true, "HH:mm:ss ", true));
        foreach (var category in started is null ? [] : Starters)
        {
            logging.AddFilter(category, level => started!.IsSet && level >= LogLevel.Warning);
        }
    }
}

/// <summary>Set once the program has started.</summary>
internal sealed class StartedSignal
{
    private volatile bool _set;

    public bool IsSet => _set;

    public void Set() => _set = true;
}
