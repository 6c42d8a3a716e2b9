using System.Buffers.Binary;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Some consecutive pieces of a record: a <c>$$BatchID</c> stands between each two.</summary>
internal readonly record struct PieceRange(int First, int Count);

/// <param name="Name">The header.</param>
/// <param name="Secret">Masked in previews.</param>
/// <param name="Shared">Pieces between batch ids; null when the value comes with the record.</param>
/// <param name="OfRecord">Where it stands in the record.</param>
internal sealed record BoundHeader(string Name, bool Secret, byte[][]? Shared, PieceRange OfRecord);

/// <param name="Head">Pieces between batch ids, before the first record.</param>
/// <param name="Record">Where the body stands in the record.</param>
/// <param name="Separator">Between two records.</param>
/// <param name="Tail">As the head, after the last record.</param>
internal sealed record BoundBody(byte[][] Head, PieceRange Record, byte[] Separator, byte[][] Tail);

/// <summary>
/// A run's request, ready to be filled. Immutable: rendering threads share it, each with its own <see cref="RenderScratch"/>. A record is
/// either its bytes alone or, when a batch id or a personal header or both cut it into pieces, the pieces with a table of their ends behind.
/// </summary>
internal sealed class BoundTemplate
{
    private const int PiecesOnStackMax = 64;

    // Proxies and servers refuse longer ones (8 KB is the usual limit of a whole request line).
    private const int AddressBytesMax = 8000;
    private readonly RecordPart[][] _pieces;
    private readonly RequestAssembler _assembler;

    internal BoundTemplate(
        ProviderContract provider, BoundBody body, PieceRange query, BoundHeader[] headers, RecordPart[][] pieces)
    {
        _pieces = pieces;
        _assembler = new(provider, body, query, headers, pieces.Length);
        BatchSize = provider.Batch?.Size ?? 1;
        MaxBytes = provider.Batch?.MaxBytes;
        LingerMilliseconds = provider.Batch?.LingerMilliseconds;
    }

    /// <summary>Most records a request; 1 without batching.</summary>
    public int BatchSize { get; }

    /// <summary>Largest body, if the provider has one: pack while <see cref="EnvelopeBytes"/> plus the sum of <see cref="BodyBytes"/> stays within.</summary>
    public int? MaxBytes { get; }

    public int? LingerMilliseconds { get; }

    /// <summary>Body bytes around the records.</summary>
    public int EnvelopeBytes => _assembler.EnvelopeBytes;

    /// <summary>Body bytes that this record adds, its separator included.</summary>
    public int BodyBytes(ReadOnlyMemory<byte> record) => _assembler.BodyBytes(record);

    /// <summary>Appends one record; on failure the output is as before.</summary>
    public RenderFailure? RenderRecord(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output)
    {
        var mark = output.BeginRecord();
        RenderFailure? failure;
        try
        {
            Span<int> ends = _pieces.Length <= PiecesOnStackMax ? stackalloc int[PiecesOnStackMax] : new int[_pieces.Length];
            failure = WritePieces(recipient, scratch, output, mark, ends);
        }
        catch (RenderLimitException limit)
        {
            failure = new(limit.Reason, limit.Message);
        }
        if (failure is not null)
        {
            output.Rewind(mark);
        }
        return failure;
    }

    /// <summary>The request for these records, which are referred to, not copied.</summary>
    /// <param name="records">1 to <see cref="BatchSize"/> of <see cref="RenderRecord"/>.</param>
    /// <param name="batchKey">26 ASCII letters or digits; what <c>$$BatchID</c> becomes.</param>
    public AssembledRequest Assemble(IReadOnlyList<ReadOnlyMemory<byte>> records, string batchKey)
    {
        ArgumentOutOfRangeException.ThrowIfZero(records.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(records.Count, BatchSize);
        return _assembler.Assemble(records, batchKey);
    }

    private RenderFailure? WritePieces(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output, int mark, Span<int> ends)
    {
        for (var piece = 0; piece < _pieces.Length; piece++)
        {
            foreach (var part in _pieces[piece])
            {
                if (part.Write(recipient, scratch, output) is { } failure)
                {
                    return failure;
                }
            }
            ends[piece] = output.Length - mark;
        }
        if (_assembler.AddressBytes(ends) is > AddressBytesMax and var bytes)
        {
            return new(RenderFailureReason.TooLarge, $"The address of the request would have {bytes} bytes; at most {AddressBytesMax} reach an ESP. Send less, or use POST.");
        }
        if (_pieces.Length > 1)
        {
            Span<byte> end = stackalloc byte[sizeof(int)];
            foreach (var value in ends[.._pieces.Length])
            {
                BinaryPrimitives.WriteInt32LittleEndian(end, value);
                output.Write(end);
            }
        }
        return null;
    }
}
