using System.Text.Json;

namespace GenericHttpEsp.Providers;

/// <summary>What is wrong with the people of a preview or test.</summary>
internal static class TrialRules
{
    private const int EmailCharactersMax = 320;

    // No name of the IANA database has half of it.
    private const int TimeZoneCharactersMax = 64;

    public static void Check(IReadOnlyList<TrialRecipient> recipients, int batchSize, TemplateProblems problems)
    {
        if (recipients.Count < 1 || recipients.Count > batchSize)
        {
            problems.Add("/recipients", batchSize == 1 ? "This provider sends one message a request: give one recipient." : $"Give 1 to {batchSize} recipients.");
        }

        foreach (var (index, recipient) in recipients.Index())
        {
            if (recipient?.Email is not { Length: <= EmailCharactersMax } email || email.IndexOf('@', StringComparison.Ordinal) < 1 || email.Any(char.IsControl))
            {
                problems.Add($"/recipients/{index}/email", "This is no address.");
            }

            if (recipient?.TimeZone?.Length > TimeZoneCharactersMax)
            {
                problems.Add($"/recipients/{index}/timeZone", "This is no time zone.");
            }

            if (recipient?.Attributes is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null or JsonValueKind.Undefined) })
            {
                problems.Add($"/recipients/{index}/attributes", "Attributes are one JSON object.");
            }
        }
    }
}
