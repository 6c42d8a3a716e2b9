using GenericHttpEsp.Content;

namespace GenericHttpEsp.Campaigns;

/// <summary>What can be said of a campaign before its provider is known to fit: audience and Liquid.</summary>
internal static class CampaignContractRules
{
    public static Dictionary<string, string[]> Check(CampaignContract contract)
    {
        var errors = new Dictionary<string, string[]>();
        if (contract.Audience is not null)
        {
            foreach (var (pointer, messages) in AudienceFilter.Parse(contract.Audience).Errors)
            {
                errors[pointer] = messages;
            }
        }

        Parse("/subject", contract.Subject, html: false, errors);
        Parse("/html", contract.Html, html: true, errors);
        Parse("/plaintext", contract.Plaintext, html: false, errors);
        Parse("/ampHtml", contract.AmpHtml, html: true, errors);
        return errors;
    }

    private static void Parse(string pointer, string? source, bool html, Dictionary<string, string[]> errors)
    {
        if (source is not null && LiquidTemplate.Parse(source, html) is { Template: null } parse)
        {
            errors[pointer] = [.. parse.Errors.Select(static error => error.ToString()!)];
        }
    }
}
