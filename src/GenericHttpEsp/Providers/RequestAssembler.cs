using System.Buffers.Binary;
using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>Puts records, envelope and batch id together.</summary>
internal sealed class RequestAssembler(
    ProviderContract provider, BoundBody shape, PieceRange query, BoundHeader[] headers, int pieceCount)
{
    public const int BatchKeyCharacters = 26;
    private readonly int _endpointBytes = new Uri(provider.Endpoint!).AbsoluteUri.Length;

    public int EnvelopeBytes { get; } = Length(shape.Head) + Length(shape.Tail);

    public int BodyBytes(ReadOnlyMemory<byte> rendered)
    {
        var record = shape.Record;
        if (record.Count == 0)
        {
            return 0;
        }
        var first = record.First == 0 ? 0 : End(rendered.Span, record.First - 1);
        return End(rendered.Span, record.First + record.Count - 1) - first + ((record.Count - 1) * BatchKeyCharacters) + shape.Separator.Length;
    }

    /// <summary>Bytes of the address with the record's query in it; 0 when the record adds nothing to it.</summary>
    /// <param name="ends">Where the record's pieces end.</param>
    public int AddressBytes(ReadOnlySpan<int> ends)
    {
        if (query.Count == 0)
        {
            return 0;
        }
        var first = query.First == 0 ? 0 : ends[query.First - 1];
        return _endpointBytes + 1 + ends[query.First + query.Count - 1] - first + ((query.Count - 1) * BatchKeyCharacters);
    }

    public AssembledRequest Assemble(IReadOnlyList<ReadOnlyMemory<byte>> records, string batchKey)
    {
        if (batchKey.Length != BatchKeyCharacters || !batchKey.All(char.IsAsciiLetterOrDigit))
        {
            throw new ArgumentException($"A batch key has {BatchKeyCharacters} ASCII letters or digits.", nameof(batchKey));
        }
        var key = Encoding.ASCII.GetBytes(batchKey);
        var body = new List<ReadOnlyMemory<byte>>((records.Count * 2) + shape.Head.Length + shape.Tail.Length);
        Add(shape.Head, key, body);
        for (var index = 0; index < records.Count; index++)
        {
            if (index > 0 && shape.Separator.Length > 0)
            {
                body.Add(shape.Separator);
            }
            Add(records[index], shape.Record, key, body);
        }
        Add(shape.Tail, key, body);
        var length = 0L;
        foreach (var piece in body)
        {
            length += piece.Length;
        }
        return new(provider.RequestType!, Address(records[0], key), [.. headers.Select(header => Header(header, records[0], key))], body, length, provider.Compression == "gzip");
    }

    private Uri Address(ReadOnlyMemory<byte> rendered, byte[] key)
    {
        var endpoint = provider.Endpoint!;
        if (query.Count == 0)
        {
            return new(endpoint);
        }
        var joint = !endpoint.Contains('?', StringComparison.Ordinal) ? "?" : endpoint.EndsWith('?') || endpoint.EndsWith('&') ? "" : "&";
        return new(endpoint + joint + Text(rendered, query, key));
    }

    private AssembledHeader Header(BoundHeader header, ReadOnlyMemory<byte> rendered, byte[] key)
    {
        var value = header.Shared is null ? Text(rendered, header.OfRecord, key) : Text(header.Shared, key);
        return new(header.Name, value.Trim(' ', '\t'), header.Secret);
    }

    private string Text(ReadOnlyMemory<byte> rendered, PieceRange range, byte[] key)
    {
        var pieces = new List<ReadOnlyMemory<byte>>();
        Add(rendered, range, key, pieces);
        return Text(pieces);
    }

    private static string Text(byte[][] shared, byte[] key)
    {
        var pieces = new List<ReadOnlyMemory<byte>>();
        Add(shared, key, pieces);
        return Text(pieces);
    }

    private static string Text(List<ReadOnlyMemory<byte>> pieces) => string.Concat(pieces.Select(piece => Encoding.Latin1.GetString(piece.Span)));

    private void Add(ReadOnlyMemory<byte> rendered, PieceRange range, byte[] key, List<ReadOnlyMemory<byte>> body)
    {
        for (var piece = range.First; piece < range.First + range.Count; piece++)
        {
            if (piece > range.First)
            {
                body.Add(key);
            }
            var start = piece == 0 ? 0 : End(rendered.Span, piece - 1);
            body.Add(rendered[start..End(rendered.Span, piece)]);
        }
    }

    private static void Add(byte[][] shared, byte[] key, List<ReadOnlyMemory<byte>> body)
    {
        for (var piece = 0; piece < shared.Length; piece++)
        {
            if (piece > 0)
            {
                body.Add(key);
            }
            if (shared[piece].Length > 0)
            {
                body.Add(shared[piece]);
            }
        }
    }

    /// <summary>A record of one piece has no table.</summary>
    private int End(ReadOnlySpan<byte> rendered, int piece) =>
        pieceCount == 1 ? rendered.Length : BinaryPrimitives.ReadInt32LittleEndian(rendered[^((pieceCount - piece) * sizeof(int))..]);

    private static int Length(byte[][] shared) => shared.Sum(piece => piece.Length) + (Math.Max(0, shared.Length - 1) * BatchKeyCharacters);
}
