using System.Text.Json;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Dispatch;

/// <summary>One record of a request, as its answer may name it.</summary>
internal readonly record struct SentRecord(long Id, string? Email);

/// <summary>Reads a 2xx answer record by record, as Postmark, Mailjet and others give it. Pure.</summary>
internal static class RecordAnswers
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64 };

    /// <summary>
    /// For each record accepted, refused, or to come when the answer does not mention it. Null when the answer cannot be read: then nobody knows.
    /// </summary>
    public static RecordOutcome[]? Read(ReadOnlyMemory<byte> body, RecordsContract rule, IReadOnlyList<SentRecord> records, MetaKeyRing keys)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            return Find(document.RootElement, rule.Path) is { ValueKind: JsonValueKind.Array } results ? Read(results, rule, records, keys) : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static RecordOutcome[]? Read(JsonElement results, RecordsContract rule, IReadOnlyList<SentRecord> records, MetaKeyRing keys)
    {
        if (rule.MatchBy == "position" && results.GetArrayLength() != records.Count)
        {
            // Which result is whose cannot be told.
            return null;
        }

        var places = Places(rule, records);
        var outcomes = new RecordOutcome[records.Count];
        var position = 0;
        foreach (var result in results.EnumerateArray())
        {
            var index = rule.MatchBy == "position" ? position : Index(result, rule, places, keys);
            position++;
            if (index >= 0)
            {
                var outcome = IsAccepted(result, rule) ? RecordOutcome.Accepted : RecordOutcome.Refused;
                outcomes[index] = OutcomeRules.Next(outcomes[index], outcome);
            }
        }

        for (var i = 0; i < outcomes.Length && rule.MatchBy == "email"; i++)
        {
            // Erased since: which result was theirs cannot be told any more.
            outcomes[i] = records[i].Email is null ? RecordOutcome.Unknown : outcomes[i];
        }

        return outcomes;
    }

    private static Dictionary<string, int> Places(RecordsContract rule, IReadOnlyList<SentRecord> records)
    {
        var places = new Dictionary<string, int>();
        for (var i = 0; i < records.Count && rule.MatchBy != "position"; i++)
        {
            var name = rule.MatchBy == "meta" ? Key(records[i].Id) : EmailAddress.Parse(records[i].Email, out _)?.Normalised;
            places[name ?? Key(records[i].Id)] = i;
        }

        return places;
    }

    private static int Index(JsonElement result, RecordsContract rule, Dictionary<string, int> places, MetaKeyRing keys)
    {
        if (Find(result, rule.Id) is not { ValueKind: JsonValueKind.String } id)
        {
            return -1;
        }

        var text = id.GetString()!;
        var name = rule.MatchBy == "email"
            ? EmailAddress.Parse(text, out _)?.Normalised
            : MessageMeta.Parse(text, keys) is { Signature: MetaSignature.Valid } meta ? Key(meta.Meta.Recipient)
            : MessageToken.Parse(text, keys) is { } token ? Key(token.Recipient) : null;
        return name is not null && places.TryGetValue(name, out var index) ? index : -1;
    }

    private static bool IsAccepted(JsonElement result, RecordsContract rule) =>
        Find(result, rule.Accepted!.Path) is { } value && JsonElement.DeepEquals(value, rule.Accepted.EqualTo!.Value);

    private static JsonElement? Find(JsonElement element, string? path)
    {
        foreach (var part in (path ?? "").Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(part, out element))
            {
                return null;
            }
        }

        return element;
    }

    private static string Key(long id) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"#{id}");
}
