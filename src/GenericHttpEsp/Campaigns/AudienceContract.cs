using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// The member <c>audience</c> of a campaign: exactly one of <c>{"all": true}</c>, <c>{"list": NAME}</c> and <c>{"filter": F}</c>.
/// <para>
/// F is <c>{"attribute": NAME, "op": OP, "value": V}</c>, <c>{"list": NAME}</c>, <c>{"and": [F, ...]}</c>, <c>{"or": [F, ...]}</c> or
/// <c>{"not": F}</c>; at most 8 deep and 100 attribute and list terms. NAME of an attribute is a top-level key of the recipient's <c>attributes</c>,
/// letter for letter: neither <c>email</c> nor <c>timeZone</c> nor anything inside a nested object can be asked for.
/// </para>
/// <para>
/// OP is <c>eq</c> or <c>ne</c> (string, number, boolean; <c>eq</c> also null, which matches a stored null), <c>lt</c>, <c>le</c>, <c>gt</c>,
/// <c>ge</c> (string, number), <c>in</c> (1 to 1000 strings, numbers or booleans, all of one type) or <c>exists</c> (true, false, or no value, which
/// means true; a stored null exists). Values of another JSON type never match, with <c>ne</c> neither: <c>ne 5</c> does not match <c>"5"</c> and not
/// a missing attribute; <c>{"not": {... "op": "eq" ...}}</c> matches both. Strings are compared by their UTF-8 bytes, case counts. Numbers are compared
/// as IEEE 754 doubles, as JavaScript does: integers beyond 2^53 and digits beyond the 17th may be rounded on to each other.
/// </para>
/// </summary>
public sealed record AudienceContract
{
    /// <summary>Everyone; only <c>true</c> is allowed.</summary>
    public bool? All { get; init; }

    /// <summary>The members of one list; a list nobody has made has none.</summary>
    public string? List { get; init; }

    /// <summary>F.</summary>
    public JsonElement? Filter { get; init; }
}
