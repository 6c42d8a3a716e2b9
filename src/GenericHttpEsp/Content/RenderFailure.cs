namespace GenericHttpEsp.Content;

/// <summary>Why one recipient's message could not be rendered. The recipient is skipped with reason <c>render</c>.</summary>
public enum RenderFailureReason
{
    /// <summary>The record or an intermediate string passed its maximum (1 MB).</summary>
    TooLarge,

    /// <summary>More than <see cref="RenderLimits.StepsMax"/> statements.</summary>
    TooManySteps,

    /// <summary>A loop, range or list of more than <see cref="RenderLimits.ItemsMax"/> items.</summary>
    TooManyItems,

    /// <summary>Longer than <see cref="RenderLimits.DeadlineMilliseconds"/>, twice.</summary>
    Deadline,

    /// <summary>The recipient's stored attributes are not a JSON object that can be read.</summary>
    BadAttributes,

    /// <summary>The template failed for this recipient (a wrong type, a division by zero).</summary>
    TemplateError,
}

/// <param name="Reason">The class of the failure.</param>
/// <param name="Detail">For the operator; holds no recipient data of its own accord.</param>
public readonly record struct RenderFailure(RenderFailureReason Reason, string Detail);

/// <summary>What one rendering may cost. Fluid 2.41.1 has none of these but the steps.</summary>
internal static class RenderLimits
{
    public const int StepsMax = 100_000;
    public const int ItemsMax = 10_000;
    public const int TextMax = 1024 * 1024;

    /// <summary>Input length times needle length of a search (contains, replace, split): string search is quadratic at worst.</summary>
    public const long SearchWorkMax = 64L * TextMax;

    public const int DeadlineMilliseconds = 50;

    /// <summary>A pause of the machine (GC, a stolen core) must not skip a person: the second and last try has more time.</summary>
    public const int SecondDeadlineMilliseconds = 200;
}
