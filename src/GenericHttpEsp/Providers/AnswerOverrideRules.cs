using System.Globalization;
using System.Text.Json;

namespace GenericHttpEsp.Providers;

/// <summary>The members by which a provider reads its ESP's answers.</summary>
internal static class AnswerOverrideRules
{
    private const int StatusesMax = 50;
    private const int PathMax = 200;

    /// <summary>What a status may be declared to mean.</summary>
    public static readonly string[] Meanings = ["accepted", "later", "unknown", "refused", "halve", "bisect", "configuration"];

    public static void Check(ProviderContract provider, TemplateProblems problems)
    {
        ProviderRules.OneOf(provider.Answers?.On500 ?? "unknown", "/answers/on500", problems, "unknown", "retry");
        foreach (var (status, meaning) in provider.Answers?.Statuses ?? new Dictionary<string, string>())
        {
            if (!int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 200 or > 599)
            {
                problems.Add($"/answers/statuses/{status}", "A status is a number from 200 to 599.");
            }

            ProviderRules.OneOf(meaning, $"/answers/statuses/{status}", problems, Meanings);
        }

        if (provider.Answers?.Statuses?.Count > StatusesMax)
        {
            problems.Add("/answers/statuses", $"At most {StatusesMax} statuses.");
        }

        if (provider.Response is { } response)
        {
            Records(response.Records, problems);
        }
    }

    private static void Records(RecordsContract? records, TemplateProblems problems)
    {
        if (records is null)
        {
            problems.Add("/response/records", "Say where the results stand: path, matchBy, accepted.");
            return;
        }

        ProviderRules.OneOf(records.MatchBy, "/response/records/matchBy", problems, "position", "email", "meta");
        Path(records.Path ?? "", "/response/records/path", problems);
        if (records.MatchBy is "email" or "meta" && string.IsNullOrEmpty(records.Id))
        {
            problems.Add("/response/records/id", "Name the path of the address or meta within a result.");
        }

        Path(records.Id ?? "", "/response/records/id", problems);
        if (string.IsNullOrEmpty(records.Accepted?.Path))
        {
            problems.Add("/response/records/accepted/path", "Name the path of the value that tells acceptance within a result.");
        }

        Path(records.Accepted?.Path ?? "", "/response/records/accepted/path", problems);
        if (records.Accepted?.EqualTo?.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False))
        {
            problems.Add("/response/records/accepted/equals", "Give the value of an accepted record: a string, number or boolean.");
        }
    }

    private static void Path(string path, string pointer, TemplateProblems problems)
    {
        if (path.Length > PathMax || (path.Length > 0 && path.Split('.').Any(static part => part.Length == 0)))
        {
            problems.Add(pointer, $"A path is member names joined by dots, at most {PathMax} characters.");
        }
    }
}
