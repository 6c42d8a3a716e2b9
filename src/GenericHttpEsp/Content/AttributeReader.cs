using System.Text.Json;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>A JSON object to Liquid values: only dictionaries, lists and scalars, never an object of the runtime.</summary>
internal static class AttributeReader
{
    public static Dictionary<string, FluidValue> Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
        {
            return [];
        }
        if (utf8.Length > RecipientModel.AttributesBytesMax)
        {
            throw new JsonException($"The attributes are larger than {RecipientModel.AttributesBytesMax} bytes.");
        }
        var reader = new Utf8JsonReader(utf8);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("The attributes are not a JSON object.");
        }
        try
        {
            return ReadObject(ref reader);
        }
        catch (InvalidOperationException error)
        {
            // What the reader says of half a surrogate pair.
            throw new JsonException("The attributes hold a string that is no text.", error);
        }
    }

    private static Dictionary<string, FluidValue> ReadObject(ref Utf8JsonReader reader)
    {
        var values = new Dictionary<string, FluidValue>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            reader.Read();
            values[name] = ReadValue(ref reader);
        }
        return values;
    }

    private static FluidValue ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return new StringValue(reader.GetString());
            case JsonTokenType.Number:
                return reader.TryGetDecimal(out var number) ? NumberValue.Create(number) : new StringValue(reader.GetDouble().ToString("R", System.Globalization.CultureInfo.InvariantCulture));
            case JsonTokenType.True:
            case JsonTokenType.False:
                return BooleanValue.Create(reader.GetBoolean());
            case JsonTokenType.StartObject:
                return new DictionaryValue(new FluidValueDictionaryFluidIndexable(ReadObject(ref reader)));
            case JsonTokenType.StartArray:
                return ReadArray(ref reader);
            default:
                return NilValue.Instance;
        }
    }

    private static ArrayValue ReadArray(ref Utf8JsonReader reader)
    {
        var items = new List<FluidValue>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(ReadValue(ref reader));
        }
        return new ArrayValue(items);
    }
}
