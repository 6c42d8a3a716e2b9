using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>One import under way: gathers rows into chunks, commits each, counts. The reader waits for the commit: that is the back-pressure.</summary>
internal sealed class ImportRun(ProfileStore profiles, RecipientKey keys, RecipientsOptions options, string? list)
{
    private const int ErrorsMax = 100;

    // Reasons name members, and a member's name may be as long as its line.
    private const int ReasonMax = 500;

    // Rows with large attributes make a chunk before they are many.
    private const int ChunkCharactersMax = 1 << 20;
    private readonly IReadOnlyList<string>? _list = list is null ? null : [list];
    private readonly Dictionary<UInt128, Gathered> _chunk = [];
    private readonly List<ImportError> _errors = [];
    private int _chunkCharacters;
    private long _received;
    private long _inserted;
    private long _updated;
    private long _rejected;

    public ImportAnswer Answer => new(_received, _inserted, _updated, _rejected, _errors);

    public void Reject(long line, string? email, string reason)
    {
        _received++;
        Refuse(1, line, email, reason);
    }

    public void Reject(long line, string? email, IEnumerable<RowError> errors) =>
        Reject(line, email, string.Join(" ", errors.Select(static error => error.Pointer.Length == 0 ? error.Message : $"{error.Pointer}: {error.Message}")));

    public async Task AddAsync(long line, RecipientRow row, CancellationToken cancellationToken)
    {
        _received++;
        var key = keys.Of(row.Email);
        var number = SubscriptionStore.Number(key);
        var upsert = new ProfileUpsert(key, row.Email.Given, row.Attributes, row.TimeZone, Lists(row.Lists));
        // The same recipient again in one chunk: the rows become one, as they would have one after the other.
        _chunk[number] = _chunk.TryGetValue(number, out var earlier) ? earlier.Then(upsert, line) : new Gathered(upsert, line, 1);
        _chunkCharacters += row.Attributes.Length;
        if (_chunk.Count >= options.ImportChunkRows || _chunkCharacters >= ChunkCharactersMax)
        {
            await FlushAsync(cancellationToken);
        }
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_chunk.Count == 0)
        {
            return;
        }

        Gathered[] rows = [.. _chunk.Values];
        var outcomes = await profiles.UpsertAsync([.. rows.Select(static row => row.Upsert)], WriteKind.Import, replaceLists: false, cancellationToken);
        foreach (var (row, outcome) in rows.Zip(outcomes))
        {
            if (outcome == UpsertOutcome.TooLarge)
            {
                Refuse(row.Lines, row.LastLine, row.Upsert.Email, "Together with what is stored the attributes are too large.");
                continue;
            }

            var inserted = outcome == UpsertOutcome.Inserted ? 1 : 0;
            _inserted += inserted;
            _updated += row.Lines - inserted;
        }

        _chunk.Clear();
        _chunkCharacters = 0;
    }

    private void Refuse(int lines, long line, string? email, string reason)
    {
        _rejected += lines;
        if (_errors.Count < ErrorsMax)
        {
            _errors.Add(new ImportError(line, email, reason.Length > ReasonMax ? reason[..ReasonMax] : reason));
        }
    }

    private IReadOnlyList<string>? Lists(IReadOnlyList<string>? named) => named is null ? _list : _list is null ? named : [.. named, .. _list];

    private sealed record Gathered(ProfileUpsert Upsert, long LastLine, int Lines)
    {
        public Gathered Then(ProfileUpsert later, long line) => new(
            later with
            {
                Attributes = AttributesJson.Combine(Upsert.Attributes, later.Attributes),
                TimeZone = later.TimeZone ?? Upsert.TimeZone,
                Lists = Upsert.Lists is null ? later.Lists : [.. Upsert.Lists, .. later.Lists ?? []],
            },
            line,
            Lines + 1);
    }
}
