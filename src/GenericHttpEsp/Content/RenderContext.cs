using System.Diagnostics;
using Fluid;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>What a template sees beside <c>profile</c>. Made per record, so the links are asked for only when a template uses them.</summary>
/// <param name="Now">The run's start.</param>
/// <param name="UnsubscribeUrl">The recipient's own link; null where there is no recipient.</param>
/// <param name="PreferenceUrl">The same for preferences.</param>
internal sealed record RenderScope(DateTimeOffset Now, Func<RecipientModel, string>? UnsubscribeUrl, Func<RecipientModel, string>? PreferenceUrl)
{
    private Func<DateTimeOffset>? _clock;

    public Func<DateTimeOffset> Clock => _clock ??= () => Now;
}

/// <summary>The root names of a template. Their case does not matter, the case of attributes does.</summary>
internal sealed class RootNames(RecipientModel? recipient, RenderScope scope) : IFluidIndexable
{
    public const string Profile = "profile";
    public const string Now = "now";
    public const string UnsubscribeUrl = "unsubscribeUrl";
    public const string PreferenceUrl = "preferenceUrl";

    private DictionaryValue? _profile;

    public int Count => 4;

    public IEnumerable<string> Keys => [Profile, Now, UnsubscribeUrl, PreferenceUrl];

    public static bool NamesRecipient(string root) => Is(root, Profile) || Is(root, UnsubscribeUrl) || Is(root, PreferenceUrl);

    public bool TryGetValue(string name, out FluidValue value)
    {
        value = NilValue.Instance;
        if (Is(name, Now))
        {
            value = new DateTimeValue(scope.Now);
        }
        else if (recipient is null)
        {
            return false;
        }
        else if (Is(name, Profile))
        {
            value = _profile ??= new DictionaryValue(recipient);
        }
        else if (Is(name, UnsubscribeUrl))
        {
            value = new StringValue(scope.UnsubscribeUrl?.Invoke(recipient));
        }
        else if (Is(name, PreferenceUrl))
        {
            value = new StringValue(scope.PreferenceUrl?.Invoke(recipient));
        }
        return !value.IsNil();
    }

    private static bool Is(string name, string known) => string.Equals(name, known, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Fluid's context with a deadline; filters, ranges, comparisons, loops and writes ask it.</summary>
internal sealed class RenderContext : TemplateContext
{
    private readonly TimeProvider _time;
    private readonly long _lateAt;
    private readonly int _deadlineMilliseconds;

    public RenderContext(RootNames names, RenderScope scope, TimeProvider time, int deadlineMilliseconds)
        : base(new DictionaryValue(names), LiquidSetup.Options)
    {
        _time = time;
        _deadlineMilliseconds = deadlineMilliseconds;
        _lateAt = time.GetTimestamp() + (deadlineMilliseconds * time.TimestampFrequency / 1000);
        Now = scope.Clock;
        TimeZone = TimeZoneInfo.Utc;
    }

    public bool TooManySteps => _steps > RenderLimits.StepsMax;

    [DebuggerStepThrough]
    public void ThrowIfLate()
    {
        if (_time.GetTimestamp() > _lateAt)
        {
            throw new RenderLimitException(RenderFailureReason.Deadline, $"Rendering took longer than {_deadlineMilliseconds} ms.");
        }
    }
}
