using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>How large a Liquid value is, shared parts counted as often as they occur, since writing them would.</summary>
internal static class ValueWeight
{
    private const int DepthMax = 64;

    public static void ThrowIfHeavy(FluidValue value)
    {
        switch (value)
        {
            case StringValue text:
                ThrowIfLong(text.ToStringValue().Length);
                break;
            case ArrayValue or DictionaryValue:
                var left = (long)RenderLimits.TextMax;
                Weigh(value, ref left, 0);
                break;
        }
    }

    public static void ThrowIfLong(long length)
    {
        if (length > RenderLimits.TextMax)
        {
            throw new RenderLimitException(RenderFailureReason.TooLarge, $"A text grew over {RenderLimits.TextMax} characters.");
        }
    }

    public static void ThrowIfMany(long count)
    {
        if (count > RenderLimits.ItemsMax)
        {
            throw new RenderLimitException(RenderFailureReason.TooManyItems, $"A list or range has more than {RenderLimits.ItemsMax} items.");
        }
    }

    public static void ThrowIfSlow(long length, long needleLength)
    {
        if (length * needleLength > RenderLimits.SearchWorkMax)
        {
            throw new RenderLimitException(RenderFailureReason.TooLarge, "The text searched for is too long for a text of this size.");
        }
    }

    private static void Weigh(FluidValue value, ref long left, int depth)
    {
        left -= value is StringValue text ? text.ToStringValue().Length : 1;
        if (left < 0 || depth > DepthMax)
        {
            ThrowIfLong(RenderLimits.TextMax + 1L);
        }
        if (value is ArrayValue list)
        {
            ThrowIfMany(list.Values.Count);
            foreach (var item in list.Values)
            {
                Weigh(item, ref left, depth + 1);
            }
        }
        else if (value is DictionaryValue && value.ToObjectValue() is IFluidIndexable names)
        {
            foreach (var name in names.Keys)
            {
                left -= name.Length;
                Weigh(names.TryGetValue(name, out var item) ? item : NilValue.Instance, ref left, depth + 1);
            }
        }
    }
}
