using System.Text.Json;
using System.Text.Unicode;

namespace GenericHttpEsp.Sandbox;

/// <summary>Reads a JSON body: checks it as a whole, finds the array of records when no path is configured, then has it read.</summary>
internal static class SandboxJsonShape
{
    /// <summary>Six bytes for each byte of a candidate, should all of it be escaped.</summary>
    private const int ScratchBytes = SandboxText.CandidateMax * 6;

    public static void Read(ReadOnlySpan<byte> body, SandboxPaths paths, bool refuseLeftovers, SandboxRecords into)
    {
        if (!Utf8.IsValid(body))
        {
            into.Wrong(400, "not UTF-8");
            return;
        }

        if (refuseLeftovers && SandboxText.Leftover(body) is { } leftover)
        {
            into.Wrong(422, leftover);
        }

        try
        {
            Span<byte> scratch = stackalloc byte[ScratchBytes];
            var recordsAt = paths.Records is null ? Locate(body, paths, scratch) : -1;
            new SandboxJsonBody(new Utf8JsonReader(body), paths, into, recordsAt, refuseLeftovers && HidesLeftovers(body), scratch).Read();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair, which is no text.
            into.Wrong(400, $"not JSON: {error.Message}");
        }
    }

    private static long Locate(ReadOnlySpan<byte> body, SandboxPaths paths, Span<byte> scratch)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        return Locate(ref reader, paths, scratch);
    }

    /// <summary>The first array, in the order of the document, of objects that hold an address or of addresses.</summary>
    private static long Locate(ref Utf8JsonReader reader, SandboxPaths paths, Span<byte> scratch)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            return LocateInMembers(ref reader, paths, scratch);
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return -1;
        }

        var start = reader.TokenStartIndex;
        reader.Read();
        if (reader.TokenType switch
        {
            JsonTokenType.StartObject => SandboxJsonBody.HoldsAddress(reader, paths, scratch),
            JsonTokenType.String => IsAddress(ref reader, scratch),
            _ => false,
        })
        {
            return start;
        }

        while (reader.TokenType != JsonTokenType.EndArray)
        {
            reader.Skip();
            reader.Read();
        }

        return -1;
    }

    private static long LocateInMembers(ref Utf8JsonReader reader, SandboxPaths paths, Span<byte> scratch)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var kind = SandboxKeys.KindOf(reader.ValueSpan);
            reader.Read();
            if (kind is SandboxKeyKind.NotRecipient or SandboxKeyKind.MessageId)
            {
                reader.Skip();
            }
            else if (Locate(ref reader, paths, scratch) is >= 0 and var found)
            {
                return found;
            }
        }

        return -1;
    }

    private static bool IsAddress(ref Utf8JsonReader reader, Span<byte> scratch) => reader.ValueSpan.Length <= scratch.Length
        && SandboxText.TryAddress(reader.ValueIsEscaped ? scratch[..reader.CopyString(scratch)] : reader.ValueSpan, out _);

    private static bool HidesLeftovers(ReadOnlySpan<byte> body) => body.IndexOf("\\u0024"u8) >= 0 || body.IndexOf("\\u007"u8) >= 0;
}
