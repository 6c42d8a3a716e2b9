using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Storage;

/// <summary>Section <c>Retention</c>: for how many days things are kept, 0 for ever. Older ones are removed in small steps, by one silo at a time.</summary>
internal sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>Events, by the date of their run, in whole months. A year and a month: last year's season can be compared. Their counters stay.</summary>
    [Range(0, 36_500)]
    public int EventDays { get; set; } = 400;

    /// <summary>Who got what (batches) of finished campaigns, by the date of the run, in whole months. Counters stay.</summary>
    [Range(0, 36_500)]
    public int BatchDays { get; set; } = 400;

    /// <summary>Unsigned events until a person decides; they hold addresses, encrypted.</summary>
    [Range(0, 36_500)]
    public int QuarantineDays { get; set; } = 30;

    /// <summary>How often each silo looks whether something is too old.</summary>
    [Range(1, 1440)]
    public int EveryMinutes { get; set; } = 10;
}

/// <summary>Where what is kept begins, now.</summary>
internal sealed class Retention(IOptions<RetentionOptions> options, TimeProvider time)
{
    /// <summary>The first run date (yyyymmdd) whose events are kept, the first of a month; 0 when all are.</summary>
    public long EventsFrom => MonthOf(options.Value.EventDays);

    /// <summary>The same for batches.</summary>
    public long BatchesFrom => MonthOf(options.Value.BatchDays);

    /// <summary>Unix milliseconds.</summary>
    public long QuarantineFrom =>
        options.Value.QuarantineDays == 0 ? 0 : time.GetUtcNow().AddDays(-options.Value.QuarantineDays).ToUnixTimeMilliseconds();

    private long MonthOf(int days)
    {
        var first = time.GetUtcNow().AddDays(-days).UtcDateTime;
        return days == 0 ? 0 : (((first.Year * 100) + first.Month) * 100) + 1;
    }
}

/// <summary>Removes one kind of thing that is too old.</summary>
internal interface IRetentionJob
{
    /// <summary>For the log.</summary>
    string Removes { get; }

    /// <summary>One small write, of the kind that everything else goes before. Answers how many it removed; 0 when nothing is left to do.</summary>
    Task<int> StepAsync(CancellationToken cancellationToken);
}
