using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>What has to hold of a profile for it to be in the audience: a checked tree, free of JSON. Unsubscribed people are in it too.</summary>
internal sealed record AudienceFilter(AudienceCondition Condition)
{
    public static AudienceFilter Everyone { get; } = new(new AudienceCondition.Everyone());

    /// <summary>The filter, or everything that is wrong with it: JSON pointers into the campaign's body, and messages.</summary>
    public static (AudienceFilter? Filter, IReadOnlyDictionary<string, string[]> Errors) Parse(AudienceContract audience)
    {
        var errors = new AudienceErrors();
        var filter = audience.Filter is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } given ? given : (JsonElement?)null;
        AudienceCondition? condition = null;
        if ((audience.All is null ? 0 : 1) + (audience.List is null ? 0 : 1) + (filter is null ? 0 : 1) != 1)
        {
            errors.Add("/audience", "Give exactly one of all, list and filter.");
        }
        else if (audience.All is { } all)
        {
            condition = new AudienceCondition.Everyone();
            errors.AddIf(!all, "/audience/all", "Only true is allowed.");
        }
        else if (audience.List is { } list)
        {
            condition = new AudienceCondition.InList(list);
            errors.CheckName("/audience/list", list);
        }
        else
        {
            condition = new AudienceFilterReader(errors).Read(filter!.Value, "/audience/filter");
        }

        return (errors.Any || condition is null ? null : new AudienceFilter(condition), errors.ToDictionary());
    }
}

/// <summary>A question with two answers: a profile that lacks what is asked for answers no, never "unknown".</summary>
internal abstract record AudienceCondition
{
    public sealed record Everyone : AudienceCondition;

    public sealed record InList(string Name) : AudienceCondition;

    public sealed record Exists(string Attribute) : AudienceCondition;

    /// <summary>The attribute is one of these JSON literals: <c>true</c>, <c>false</c>, <c>null</c>.</summary>
    public sealed record Literal(string Attribute, IReadOnlyList<string> Literals) : AudienceCondition;

    /// <summary>The attribute is a string and compares so; more than one value with <see cref="Comparison.In"/> only.</summary>
    public sealed record Text(string Attribute, Comparison Comparison, IReadOnlyList<string> Values) : AudienceCondition;

    /// <summary>The attribute is a number and compares so.</summary>
    public sealed record Number(string Attribute, Comparison Comparison, IReadOnlyList<double> Values) : AudienceCondition;

    public sealed record And(IReadOnlyList<AudienceCondition> Conditions) : AudienceCondition;

    public sealed record Or(IReadOnlyList<AudienceCondition> Conditions) : AudienceCondition;

    public sealed record Not(AudienceCondition Condition) : AudienceCondition;
}

/// <summary>How an attribute compares with a value.</summary>
internal enum Comparison
{
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}
