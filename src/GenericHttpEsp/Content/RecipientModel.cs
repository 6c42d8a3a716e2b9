using System.Text.Json;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>
/// What a template may know of a recipient: <c>profile.email</c>, <c>profile.timeZone</c> and the stored attributes. Attributes stay UTF-8
/// JSON until a template asks for the first one. Not thread-safe: one recipient is rendered by one thread.
/// </summary>
internal sealed class RecipientModel : IFluidIndexable
{
    public const int AttributesBytesMax = 1024 * 1024;

    private readonly ReadOnlyMemory<byte> _attributesUtf8;
    private Dictionary<string, FluidValue>? _attributes;

    private RecipientModel(long id, string email, ReadOnlyMemory<byte> attributesUtf8, string? timeZone)
    {
        Id = id;
        Email = email;
        TimeZone = timeZone;
        _attributesUtf8 = attributesUtf8;
    }

    /// <summary>The recipient's internal id, field 7 of the meta.</summary>
    public long Id { get; }

    /// <summary>The address in the form given last.</summary>
    public string Email { get; }

    /// <summary>IANA name, if known.</summary>
    public string? TimeZone { get; }

    int IFluidIndexable.Count => Attributes.Count + 1;

    IEnumerable<string> IFluidIndexable.Keys => Attributes.Keys.Append("email").Distinct(StringComparer.Ordinal);

    /// <exception cref="JsonException">The attributes are not a readable JSON object.</exception>
    private Dictionary<string, FluidValue> Attributes => _attributes ??= AttributeReader.Read(_attributesUtf8.Span);

    /// <param name="attributesUtf8">A JSON object, or empty. Kept, not copied; read when first needed, errors show as <see cref="RenderFailureReason.BadAttributes"/>.</param>
    public static RecipientModel FromJson(long id, string email, ReadOnlyMemory<byte> attributesUtf8, string? timeZone = null) =>
        new(id, email, attributesUtf8, timeZone);

    /// <summary>For samples and tests; values as JSON would have them.</summary>
    public static RecipientModel FromValues(long id, string email, IReadOnlyDictionary<string, object?> attributes, string? timeZone = null) =>
        new(id, email, JsonSerializer.SerializeToUtf8Bytes(attributes), timeZone);

    bool IFluidIndexable.TryGetValue(string name, out FluidValue value)
    {
        if (name == "email")
        {
            value = new StringValue(Email);
            return true;
        }
        if (Attributes.TryGetValue(name, out var found))
        {
            value = found;
            return true;
        }
        value = name == "timeZone" && TimeZone is not null ? new StringValue(TimeZone) : NilValue.Instance;
        return !value.IsNil();
    }
}
