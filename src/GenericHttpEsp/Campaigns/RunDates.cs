namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Conditions that tell PostgreSQL which months of <c>batches</c> a statement is about, where the caller does not know the date: it looks at those partitions
/// only. (A join would not do: only what is known before the scan prunes.) On SQLite they hold and cost nothing.
/// </summary>
internal static class RunDates
{
    /// <summary>With the parameters <c>@campaign</c> and <c>@run</c>.</summary>
    public const string OfRun = "run_date = (select run_date from runs where campaign_id = @campaign and run = @run)";

    /// <summary>With the parameter <c>@campaign</c>; all its runs.</summary>
    public const string OfCampaign =
        """
        run_date >= (select min(run_date) from runs where campaign_id = @campaign)
          and run_date <= (select max(run_date) from runs where campaign_id = @campaign)
        """;

    /// <summary>With the parameter <c>@id</c>, a partition's.</summary>
    public const string OfPartition =
        "run_date = (select r.run_date from runs r join partitions q on q.campaign_id = r.campaign_id and q.run = r.run where q.id = @id)";
}
