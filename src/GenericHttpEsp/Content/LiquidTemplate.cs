using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fluid;
using Fluid.Ast;
using Fluid.Parser;

namespace GenericHttpEsp.Content;

/// <summary>Either a template or what is wrong with it.</summary>
internal readonly record struct LiquidParsing(LiquidTemplate? Template, IReadOnlyList<LiquidError> Errors);

/// <summary>
/// A parsed text of a campaign. Immutable and shared by threads. Output is HTML-escaped when <c>html</c>, unless <c>| raw</c>; the escaping
/// for where the text stands comes on top, in the writer.
/// </summary>
internal sealed partial class LiquidTemplate
{
    /// <summary>Fluid's parser takes up to 5 KB of stack a level.</summary>
    private const int DepthOnAnyStack = 10;

    private readonly IReadOnlyList<Statement> _statements;
    private readonly TextEncoder _encoder;

    private LiquidTemplate(IReadOnlyList<Statement> statements, bool html, bool dependsOnRecipient)
    {
        _statements = statements;
        _encoder = html ? LiquidSetup.Html : NullEncoder.Default;
        DependsOnRecipient = dependsOnRecipient;
        IsStatic = statements.All(statement => statement is StaticText);
    }

    /// <summary>Names <c>profile</c> or a link of the recipient; otherwise it is the same for the whole run.</summary>
    public bool DependsOnRecipient { get; }

    public bool IsStatic { get; }

    public static LiquidParsing Parse(string source, bool html)
    {
        if (LiquidScan.Check(source, out var deepest) is { } refused)
        {
            return new(null, [refused]);
        }
        return deepest <= DepthOnAnyStack ? ParseChecked(source, html) : DeepStack.Run(() => ParseChecked(source, html));
    }

    private static LiquidParsing ParseChecked(string source, bool html)
    {
        if (!TryParse(source, out var parsed, out var error))
        {
            return new(null, [Located(error)]);
        }
        var rewriter = new LiquidRewriter();
        var rewritten = (IStatementList)rewriter.VisitTemplate(parsed);
        if (rewriter.UnknownFilters.Count > 0)
        {
            return new(null, [.. rewriter.UnknownFilters.Distinct().Select(name => UnknownFilter(source, name))]);
        }
        return new(new(Merged(rewritten.Statements), html, rewriter.NamesRecipient), []);
    }

    /// <summary>Whatever the parser throws, the text is what is wrong.</summary>
    private static bool TryParse(string source, out IFluidTemplate parsed, out string error)
    {
        try
        {
            return LiquidSetup.Parser.TryParse(source, out parsed, out error);
        }
        catch (Exception exception)
        {
            (parsed, error) = (new FluidTemplate(), $"The template cannot be parsed ({exception.GetType().Name}).");
            return false;
        }
    }

    /// <summary>Writes the rendered text at the end of the output. On failure the output may hold a part: the caller rewinds.</summary>
    public RenderFailure? Render(RecipientModel? recipient, RenderScope scope, ValuePlace place, bool singleLine, RenderScratch scratch, Utf8Buffer output)
    {
        var start = output.Length;
        var failure = RenderOnce(recipient, scope, place, singleLine, scratch, output, RenderLimits.DeadlineMilliseconds);
        if (failure is { Reason: RenderFailureReason.Deadline })
        {
            output.Rewind(start);
            failure = RenderOnce(recipient, scope, place, singleLine, scratch, output, RenderLimits.SecondDeadlineMilliseconds);
        }
        return failure;
    }

    private RenderFailure? RenderOnce(
        RecipientModel? recipient, RenderScope scope, ValuePlace place, bool singleLine, RenderScratch scratch, Utf8Buffer output, int deadlineMilliseconds)
    {
        var context = new RenderContext(new RootNames(recipient, scope), scope, scratch.Time, deadlineMilliseconds);
        try
        {
            var writer = scratch.Writer;
            writer.Begin(output, place, singleLine, context);
            foreach (var statement in _statements)
            {
                // Nothing in a template waits: what runs here has ended when the call returns.
                var writing = statement.WriteToAsync(writer, _encoder, context);
                if (writing.IsCompleted)
                {
                    writing.GetAwaiter().GetResult();
                }
            }
            writer.End();
            return null;
        }
        catch (Exception exception)
        {
            return FailureOf(exception, context);
        }
    }

    private static RenderFailure FailureOf(Exception exception, RenderContext context) => exception switch
    {
        RenderLimitException limit => new(limit.Reason, limit.Message),
        JsonException => new(RenderFailureReason.BadAttributes, "The recipient's stored attributes cannot be read as JSON."),
        _ when context.TooManySteps => new(RenderFailureReason.TooManySteps, $"More than {RenderLimits.StepsMax} steps."),
        FluidException => new(RenderFailureReason.TemplateError, exception.Message),
        // Messages of the runtime may quote the value.
        _ => new(RenderFailureReason.TemplateError, exception.GetType().Name),
    };

    private static LiquidError UnknownFilter(string source, string name)
    {
        var at = Math.Max(0, source.IndexOf(name, Math.Max(0, source.IndexOf('|')), StringComparison.Ordinal));
        var known = string.Join(", ", LiquidSetup.Options.Filters.Select(filter => filter.Key).Order(StringComparer.Ordinal));
        return LiquidScan.At(source, at, $"Unknown filter '{name}'. Known are: {known}.");
    }

    /// <summary>Fluid ends its messages with "at (line:column)".</summary>
    private static LiquidError Located(string error)
    {
        var place = FluidPlace().Match(error);
        return place.Success
            ? new(Number(place.Groups[1]), Number(place.Groups[2]), error[..place.Index].Trim())
            : new(1, 1, error);
    }

    private static int Number(Group group) => int.Parse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    private static List<Statement> Merged(IReadOnlyList<Statement> statements)
    {
        var merged = new List<Statement>();
        foreach (var statement in statements)
        {
            if (statement is StaticText next && merged.LastOrDefault() is StaticText previous)
            {
                merged[^1] = new StaticText(previous.Text + next.Text);
            }
            else
            {
                merged.Add(statement);
            }
        }
        return merged;
    }

    [GeneratedRegex(@"\s+at \((\d+):(\d+)\)")]
    private static partial Regex FluidPlace();
}
