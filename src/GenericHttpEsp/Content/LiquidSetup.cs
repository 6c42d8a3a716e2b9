using System.Text.Encodings.Web;
using System.Text.Unicode;
using Fluid;

namespace GenericHttpEsp.Content;

/// <summary>The one parser and the one set of options: no files, no members of runtime objects, guarded filters, invariant culture, UTC.</summary>
internal static class LiquidSetup
{
    public static FluidParser Parser { get; } = new(new FluidParserOptions { AllowFunctions = false, AllowParentheses = false, AllowLiquidTag = false });

    public static TemplateOptions Options { get; } = CreateOptions();

    /// <summary>HTML-special characters only: letters of all scripts stay as they are.</summary>
    public static TextEncoder Html { get; } = HtmlEncoder.Create(UnicodeRanges.All);

    private static TemplateOptions CreateOptions()
    {
        var options = new TemplateOptions
        {
            MaxSteps = RenderLimits.StepsMax,
            CultureInfo = System.Globalization.CultureInfo.InvariantCulture,
            TimeZone = TimeZoneInfo.Utc,
        };
        GuardedFilters.Guard(options.Filters);
        return options;
    }
}
