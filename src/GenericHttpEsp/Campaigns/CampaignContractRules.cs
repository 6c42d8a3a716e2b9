using GenericHttpEsp.Content;

namespace GenericHttpEsp.Campaigns;

/// <summary>What can be said of a campaign before its provider is known to fit: audience and Liquid, which is rendered once for somebody of whom nothing is known.</summary>
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
        if (source is null)
        {
            return;
        }

        var parse = LiquidTemplate.Parse(source, html);
        if (parse.Template is null)
        {
            errors[pointer] = [.. parse.Errors.Select(static error => error.ToString()!)];
        }
        else if (SampleRender.Check(parse.Template) is { } failure)
        {
            errors[pointer] = [$"It cannot be rendered, not even for somebody without attributes: {failure.Detail} Loops inside of loops, large ranges and texts that grow in a loop do that."];
        }
    }
}
