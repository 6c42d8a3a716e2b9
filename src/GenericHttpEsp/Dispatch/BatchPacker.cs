using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Dispatch;

/// <summary>What fits into one request; a single record always does.</summary>
/// <param name="Template">Knows the largest number of records and what each adds to the body.</param>
/// <param name="BytesMax">Learnt from the ESP's refusals; beside the provider's own maximum.</param>
internal sealed record BatchLimits(BoundTemplate Template, long BytesMax)
{
    public int Records => Template.BatchSize;

    /// <summary>How long a partly filled batch waits for more; null: until it is full or nothing follows.</summary>
    public TimeSpan? Linger => Template.LingerMilliseconds is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;

    public bool Fits(int bytes) => Template.EnvelopeBytes + (long)bytes <= Math.Min(BytesMax, Template.MaxBytes ?? int.MaxValue);
}

/// <summary>Packs records into requests: full ones, and what is left when nothing follows or it has waited long enough. Records of a waiting row stay together.</summary>
internal sealed class BatchPacker(BatchLimits limits, TimeProvider time)
{
    private readonly Queue<PackedBatch> _rows = [];
    private PackedBatch? _filling;
    private long _fillingSince;
    private PackedBatch? _row;
    private readonly Queue<PackedBatch> _full = [];

    /// <summary>May change while the run goes on, since limits take effect at once.</summary>
    public BatchLimits Limits { get; set; } = limits;

    /// <summary>What is left of a partly filled batch's wait; null when there is none or its wait has no end.</summary>
    public TimeSpan? Patience => _filling is null || Limits.Linger is not { } linger ? null
        : linger - time.GetElapsedTime(_fillingSince) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>What is partly filled goes out as it is.</summary>
    public void Flush() => Flush(last: true);

    public void Add(RecordPage page)
    {
        var buffer = new PageBuffer(page.Bytes, page.Ids.Length);
        if (page.BatchId != 0)
        {
            AddToRow(page, buffer);
            return;
        }

        var at = 0;
        for (var i = 0; i < page.Ids.Length; i++)
        {
            var bytes = page.Bytes.AsMemory(at, page.Lengths[i]);
            at += page.Lengths[i];
            if (_filling is { } current && !current.HasRoom(page.Outcomes[i], bytes, Limits))
            {
                _full.Enqueue(current);
                _filling = null;
            }

            if (_filling is null)
            {
                _filling = new PackedBatch(0, i == 0 ? page.From : page.Ids[i - 1], repeats: false);
                _fillingSince = time.GetTimestamp();
            }

            _filling.Add(page.Ids[i], page.Outcomes[i], bytes, buffer, Limits);
        }

        Flush(page.Last);
    }

    /// <summary>Batches that are ready, in order, for one claim: one waiting row, or consecutive batches at the cursor.</summary>
    public List<PackedBatch> Take(int recordsMax, int batchesMax)
    {
        if (_rows.TryDequeue(out var row))
        {
            return [row];
        }

        var taken = new List<PackedBatch>();
        var records = 0;
        while (_full.TryPeek(out var next) && taken.Count < batchesMax && (taken.Count == 0 || records + next.Count <= recordsMax))
        {
            taken.Add(_full.Dequeue());
            records += next.Count;
        }

        return taken;
    }

    private void AddToRow(RecordPage page, PageBuffer buffer)
    {
        // A row's pages come one after the other; another row's page means that the rest of this one was never offered.
        _row = _row?.RowId == page.BatchId ? _row : new PackedBatch(page.BatchId, 0, page.Repeats);
        var at = 0;
        for (var i = 0; i < page.Ids.Length; i++)
        {
            _row.Add(page.Ids[i], page.Outcomes[i], page.Bytes.AsMemory(at, page.Lengths[i]), buffer, Limits);
            at += page.Lengths[i];
        }

        if (page.Last)
        {
            _rows.Enqueue(_row);
            _row = null;
        }
    }

    private void Flush(bool last)
    {
        if (_filling is { } current && (last || current.IsFull(Limits)))
        {
            _full.Enqueue(current);
            _filling = null;
        }
    }
}

/// <summary>Records that share one request. They hold on to their pages' buffers until the request is over.</summary>
internal sealed class PackedBatch(long rowId, long from, bool repeats)
{
    // Skipped people ride along in the row, but a row has to end somewhere.
    private const int IdsMax = 4096;
    private readonly List<long> _ids = [];
    private readonly List<RecordOutcome> _outcomes = [];
    private readonly List<ReadOnlyMemory<byte>> _records = [];
    private readonly List<PageBuffer> _buffers = [];
    private int _bytes;
    private int _rendered;

    /// <summary>The waiting row, or 0 for a batch at the cursor.</summary>
    public long RowId => rowId;

    public long From => from;

    public bool Repeats => repeats;

    public int Count => _rendered;

    public void Add(long id, RecordOutcome outcome, ReadOnlyMemory<byte> record, PageBuffer buffer, BatchLimits limits)
    {
        _ids.Add(id);
        _outcomes.Add(outcome);
        _records.Add(record);
        _buffers.Add(buffer);
        if (outcome == RecordOutcome.ToCome)
        {
            _bytes += limits.Template.BodyBytes(record);
            _rendered++;
        }
    }

    public bool HasRoom(RecordOutcome outcome, ReadOnlyMemory<byte> record, BatchLimits limits) =>
        _ids.Count < IdsMax
        && (outcome != RecordOutcome.ToCome || _rendered == 0 || (_rendered < limits.Records && limits.Fits(_bytes + limits.Template.BodyBytes(record))));

    /// <summary>No further record can go in, so it need not wait for one.</summary>
    public bool IsFull(BatchLimits limits) => _rendered >= limits.Records;

    public BatchDraft Draft()
    {
        var hashes = new byte[_ids.Count * sizeof(ulong)];
        for (var i = 0; i < _ids.Count; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(hashes.AsSpan(i * sizeof(ulong)), XxHash3.HashToUInt64(_records[i].Span));
        }

        return new BatchDraft([.. _ids], [.. _outcomes], hashes, NewKey());
    }

    /// <summary>The records that a claim admitted.</summary>
    public List<ReadOnlyMemory<byte>> Admitted(RecordOutcome[] outcomes) =>
        [.. _records.Where((_, i) => outcomes[i] == RecordOutcome.ToCome)];

    /// <summary>Their people, in the same order.</summary>
    public long[] AdmittedIds(RecordOutcome[] outcomes) => [.. _ids.Where((_, i) => outcomes[i] == RecordOutcome.ToCome)];

    /// <summary>Gives the buffers back. Only when nothing reads them any more.</summary>
    public void Release() => _buffers.ForEach(static buffer => buffer.Release());

    // 26 characters of base32: 130 bits.
    private static string NewKey() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz234567", 26);
}

/// <summary>A page's pooled bytes, shared by the records in it.</summary>
internal sealed class PageBuffer(byte[] bytes, int records)
{
    private int _held = records;

    public void Release()
    {
        if (Interlocked.Decrement(ref _held) == 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
