using System.Text.Json;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// The header of a CSV import: <c>email</c>, and attributes: text unless the name ends in <c>:number</c>, <c>:boolean</c> or <c>:date</c>. An empty cell
/// removes the attribute.
/// </summary>
internal sealed class CsvColumns
{
    private const string EmailColumn = "email";
    private readonly List<(string Name, CsvType Type)> _columns = [];
    private int _email = -1;

    /// <returns>Null when the header is wrong; <paramref name="problem"/> says how.</returns>
    public static CsvColumns? Read(IReadOnlyList<string> header, out string? problem)
    {
        var columns = new CsvColumns();
        problem = header.Select(columns.Add).FirstOrDefault(static wrong => wrong is not null)
            ?? (columns._email < 0 ? $"There is no column \"{EmailColumn}\"." : null)
            ?? (header.Count > RecipientLimits.AttributesMax ? $"There are more than {RecipientLimits.AttributesMax} columns." : null);
        return problem is null ? columns : null;
    }

    public RecipientRow? Read(IReadOnlyList<string> fields, List<RowError> errors)
    {
        if (fields.Count != _columns.Count)
        {
            errors.Add(new RowError("", $"The line has {fields.Count} fields, the header {_columns.Count}."));
            return null;
        }

        var email = EmailAddress.Parse(fields[_email], out var reason);
        if (email is null)
        {
            errors.Add(new RowError("", reason!));
        }

        var attributes = AttributesJson.Write(writer =>
        {
            writer.WriteStartObject();
            for (var i = 0; i < fields.Count; i++)
            {
                if (i != _email && _columns[i].Name.Length > 0)
                {
                    Write(writer, _columns[i], fields[i], errors);
                }
            }

            writer.WriteEndObject();
        });
        if (RecipientLimits.AttributesProblem(attributes) is { } tooLarge)
        {
            errors.Add(new RowError("", tooLarge));
        }

        return errors.Count == 0 ? new RecipientRow(email!, attributes, null, null) : null;
    }

    /// <summary>The address as given, for the report of a line that is rejected.</summary>
    public string? EmailOf(IReadOnlyList<string> fields) =>
        _email < fields.Count && fields[_email].Length <= EmailAddress.BytesMax ? fields[_email] : null;

    private string? Add(string header)
    {
        var (name, type) = (header.Trim(), CsvType.Text);
        if (name.Equals(EmailColumn, StringComparison.OrdinalIgnoreCase) && _email < 0)
        {
            _email = _columns.Count;
            name = EmailColumn;
        }
        else if (name.Length > 0 && RecipientLimits.AttributeNameProblem(name) is { } unfit)
        {
            return unfit;
        }
        else if (name.LastIndexOf(':') is >= 0 and var colon)
        {
            if (!Enum.TryParse(name[(colon + 1)..].Trim(), ignoreCase: true, out type) || int.TryParse(name[(colon + 1)..], out _))
            {
                return $"Column \"{name}\": a type is number, boolean, date or text.";
            }

            name = name[..colon].Trim();
        }

        var problem = name.Length > 0 && _columns.Exists(column => column.Name == name) ? $"There are two columns \"{name}\"." : null;
        // Columns without a name are what spreadsheets leave at the right: nobody's.
        _columns.Add((name, type));
        return problem;
    }

    private static void Write(Utf8JsonWriter writer, (string Name, CsvType Type) column, string cell, List<RowError> errors)
    {
        writer.WritePropertyName(column.Name);
        if (cell.Contains('\0', StringComparison.Ordinal))
        {
            errors.Add(new RowError("", $"{column.Name}: a text holds NUL."));
            writer.WriteNullValue();
        }
        else if (string.IsNullOrWhiteSpace(cell))
        {
            writer.WriteNullValue();
        }
        else if (!CsvCell.TryWrite(writer, column.Type, column.Type == CsvType.Text ? cell : cell.Trim()))
        {
            errors.Add(new RowError("", $"{column.Name}: not a {column.Type.ToString().ToLowerInvariant()}."));
            writer.WriteNullValue();
        }
    }
}
