using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Api;
using Microsoft.Net.Http.Headers;

namespace GenericHttpEsp.Stats;

/// <summary>A table streamed to a client: NDJSON, or CSV where the client's <c>Accept</c> prefers it.</summary>
internal static class Export
{
    private const string Csv = "text/csv";
    private const string Ndjson = "application/x-ndjson";

    /// <param name="names">Columns; cells are null, strings, numbers, or times.</param>
    /// <param name="pages">Rows, a page at a time; the client's pace is the pace of reading.</param>
    public static IResult Of(HttpRequest request, string[] names, IAsyncEnumerable<IReadOnlyList<object?[]>> pages) => WantsCsv(request)
        ? Results.Stream(output => WriteAsync(output, pages, Line(names), static (row, _) => Line(row), names), Csv + "; charset=utf-8")
        : Results.Stream(output => WriteAsync(output, pages, null, Json, names), Ndjson);

    /// <summary>
    /// A cell for spreadsheets: quoted where it must be (RFC 4180), and with an apostrophe before what a spreadsheet would run as a formula (ASVS 1.2.10).
    /// </summary>
    public static string Cell(object? value)
    {
        var text = value switch
        {
            null => "",
            DateTimeOffset time => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString()!,
        };
        if (value is string && text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '\0' or '\uFF1D' or '\uFF0B' or '\uFF0D' or '\uFF20')
        {
            text = "'" + text;
        }

        return text.AsSpan().IndexOfAny(Quoted) < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static readonly SearchValues<char> Quoted = SearchValues.Create(",;\"\r\n\t ");

    private static bool WantsCsv(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.OrderByDescending(static type => type.Quality ?? 1).FirstOrDefault() is { } first && first.MediaType.Equals(Csv, StringComparison.OrdinalIgnoreCase);

    private static string Line(object?[] row) => string.Join(',', row.Select(Cell)) + "\r\n";

    private static string Json(object?[] row, string[] names)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = ApiJson.Options.Encoder }))
        {
            json.WriteStartObject();
            for (var i = 0; i < names.Length; i++)
            {
                json.WritePropertyName(names[i]);
                JsonSerializer.Serialize(json, row[i], ApiJson.Options);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static async Task WriteAsync(
        Stream output, IAsyncEnumerable<IReadOnlyList<object?[]>> pages, string? header, Func<object?[], string[], string> line, string[] names)
    {
        await output.WriteAsync(Encoding.UTF8.GetBytes(header ?? ""));
        await foreach (var page in pages)
        {
            await output.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(page.Select(row => line(row, names)))));
            await output.FlushAsync();
        }
    }
}
