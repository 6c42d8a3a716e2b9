using Fluid;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>
/// Every filter, behind checks of deadline, size and work: Fluid's own have none (a string doubled 27 times took 4.5 s and 538 MB).
/// What multiplies (replace, join) is computed before it is made.
/// </summary>
internal static class GuardedFilters
{
    private const int FormatLengthMax = 100;

    public static void Guard(FilterCollection filters)
    {
        // Multiplies its input by its arguments and is no part of Liquid.
        filters.Remove("format_string");
        foreach (var (name, filter) in filters.ToList())
        {
            var check = CheckOf(name);
            filters.AddFilter(name, (input, arguments, context) => Apply(filter, check, input, arguments, (RenderContext)context));
        }
    }

    private static Action<FluidValue, FilterArguments>? CheckOf(string name) => name switch
    {
        "replace" or "replace_first" or "replace_last" or "remove" or "remove_first" or "remove_last" => CheckReplace,
        "split" => CheckSplit,
        "join" => CheckJoin,
        "format_number" or "format_date" or "date" => CheckFormat,
        _ => null,
    };

    private static async ValueTask<FluidValue> Apply(
        FilterDelegate filter, Action<FluidValue, FilterArguments>? check, FluidValue input, FilterArguments arguments, RenderContext context)
    {
        context.ThrowIfLate();
        ValueWeight.ThrowIfHeavy(input);
        for (var index = 0; index < arguments.Count; index++)
        {
            ValueWeight.ThrowIfHeavy(arguments.At(index));
        }
        check?.Invoke(input, arguments);
        var result = await filter(input, arguments, context);
        ValueWeight.ThrowIfHeavy(result);
        return result;
    }

    private static void CheckReplace(FluidValue input, FilterArguments arguments)
    {
        var text = input.ToStringValue();
        var needle = arguments.At(0).ToStringValue();
        ValueWeight.ThrowIfSlow(text.Length, needle.Length);
        var replacement = arguments.At(1).ToStringValue().Length;
        var times = needle.Length == 0 ? text.Length + 1 : text.AsSpan().Count(needle);
        ValueWeight.ThrowIfLong(text.Length + ((long)times * Math.Max(0, replacement - needle.Length)));
    }

    private static void CheckSplit(FluidValue input, FilterArguments arguments)
    {
        var text = input.ToStringValue();
        var separator = arguments.At(0).ToStringValue();
        ValueWeight.ThrowIfSlow(text.Length, separator.Length);
        ValueWeight.ThrowIfMany(separator.Length == 0 ? text.Length : text.AsSpan().Count(separator));
    }

    private static void CheckJoin(FluidValue input, FilterArguments arguments)
    {
        if (input is ArrayValue list)
        {
            ValueWeight.ThrowIfLong((long)list.Values.Count * arguments.At(0).ToStringValue().Length);
        }
    }

    /// <summary>.NET formats take widths and precisions up to 999,999,999.</summary>
    private static void CheckFormat(FluidValue input, FilterArguments arguments)
    {
        var format = arguments.At(0);
        if (format.Type != FluidValues.String)
        {
            return;
        }
        var text = format.ToStringValue();
        var digits = 0;
        foreach (var letter in text)
        {
            digits = char.IsAsciiDigit(letter) ? digits + 1 : 0;
            if (digits > 2 || text.Length > FormatLengthMax)
            {
                throw new RenderLimitException(RenderFailureReason.TooLarge, "A format may hold numbers up to 99 and 100 characters.");
            }
        }
    }
}
