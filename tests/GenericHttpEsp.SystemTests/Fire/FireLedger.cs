using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>What the ledger says of a campaign, person by person.</summary>
/// <param name="Outcomes">By address. Who is beyond the cursor is missing.</param>
/// <param name="OnTheWire">People in claims without an outcome.</param>
/// <param name="ClaimedAt">Unix milliseconds, by batch key.</param>
internal sealed record FireLedger(
    IReadOnlyDictionary<string, RecordOutcome> Outcomes, int OnTheWire, IReadOnlyDictionary<string, long> ClaimedAt)
{
    /// <summary>Rows that wait to be claimed again.</summary>
    public int Waiting { get; private init; }

    public int Unknown => Outcomes.Count(static person => person.Value == RecordOutcome.Unknown);

    public static Task<FireLedger> ReadAsync(FireDriver bench, long campaign) => bench.ReadAsync(session => ReadAsync(session, campaign));

    private static async Task<FireLedger> ReadAsync(LedgerSession session, long campaign)
    {
        var people = await session.QueryAsync("select id, email from profiles", static row => (Id: row.GetInt64(0), Email: row.GetString(1)));
        var emails = people.ToDictionary(static person => person.Id, static person => person.Email);
        var rows = await session.QueryAsync(
            "select ids, outcome, state, batch_key, claimed_at from batches where campaign_id = @id order by id",
            row => (
                Ids: IdArray.FromColumn(session, row, 0), Outcomes: row.GetFieldValue<byte[]>(1), State: (BatchState)row.GetInt16(2),
                Key: row.IsDBNull(3) ? null : row.GetString(3), ClaimedAt: row.IsDBNull(4) ? 0 : row.GetInt64(4)),
            ("@id", campaign));
        var outcomes = new Dictionary<string, RecordOutcome>();
        foreach (var (id, outcome) in rows.SelectMany(static row => row.Ids.Zip(row.Outcomes, static (id, outcome) => (id, (RecordOutcome)outcome))))
        {
            if (outcome != RecordOutcome.Moved)
            {
                // Throws when somebody is in two rows.
                outcomes.Add(emails[id], outcome);
            }
        }

        return new FireLedger(
            outcomes,
            rows.Where(static row => row.State == BatchState.Claimed).Sum(static row => row.Outcomes.Count(static outcome => outcome == (byte)RecordOutcome.ToCome)),
            rows.Where(static row => row.Key is not null).ToDictionary(static row => row.Key!, static row => row.ClaimedAt))
        {
            Waiting = rows.Count(static row => row.State == BatchState.Waiting),
        };
    }
}
