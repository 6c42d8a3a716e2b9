using System.Text.Unicode;

namespace GenericHttpEsp.Recipients;

/// <summary>From the body of an import to its rows.</summary>
internal static class ImportReader
{
    public static async Task ReadLinesAsync(Stream body, ImportRun run, int lineBytesMax, CancellationToken cancellationToken)
    {
        using var records = new ImportRecords(body, new LineEnds(), lineBytesMax);
        var errors = new List<RowError>();
        while (await records.NextAsync(cancellationToken) is { } record)
        {
            errors.Clear();
            if (record.Problem is not null)
            {
                run.Reject(record.Line, null, record.Problem);
            }
            else if (!IsBlank(record.Bytes.Span))
            {
                var row = RecipientJson.Read(record.Bytes, null, errors, out var email);
                if (row is null)
                {
                    run.Reject(record.Line, email, errors);
                }
                else
                {
                    await run.AddAsync(record.Line, row, cancellationToken);
                }
            }
        }

        await run.FlushAsync(cancellationToken);
    }

    /// <returns>What is wrong with the header; then nothing was read.</returns>
    public static async Task<string?> ReadCsvAsync(Stream body, ImportRun run, int lineBytesMax, CancellationToken cancellationToken)
    {
        var ends = new CsvRecordEnds();
        using var records = new ImportRecords(body, ends, lineBytesMax);
        var fields = new List<string>();
        var (columns, problem) = await HeaderAsync(records, ends, fields, cancellationToken);
        if (columns is null)
        {
            return problem;
        }

        var errors = new List<RowError>();
        while (await records.NextAsync(cancellationToken) is { } record)
        {
            errors.Clear();
            if ((record.Problem ?? Split(record, ends, fields)) is { } unreadable)
            {
                run.Reject(record.Line, null, unreadable);
            }
            else if (!IsBlank(record.Bytes.Span))
            {
                if (columns.Read(fields, errors) is { } row)
                {
                    await run.AddAsync(record.Line, row, cancellationToken);
                }
                else
                {
                    run.Reject(record.Line, columns.EmailOf(fields), errors);
                }
            }
        }

        await run.FlushAsync(cancellationToken);
        return null;
    }

    private static async Task<(CsvColumns? Columns, string? Problem)> HeaderAsync(
        ImportRecords records, CsvRecordEnds ends, List<string> fields, CancellationToken cancellationToken)
    {
        if (await records.NextAsync(cancellationToken) is not { } header)
        {
            return (null, "There is no header line.");
        }

        ends.Delimiter = CsvFields.DelimiterOf(header.Bytes.Span);
        return (header.Problem ?? Split(header, ends, fields)) is { } problem
            ? (null, problem)
            : (CsvColumns.Read(fields, out problem!), problem);
    }

    private static string? Split(ImportRecord record, CsvRecordEnds ends, List<string> fields) =>
        !Utf8.IsValid(record.Bytes.Span) ? "Not valid UTF-8."
        : !CsvFields.TrySplit(record.Bytes.Span, ends.Delimiter, fields) ? "A quote is not closed, or text stands behind a closing one."
        : null;

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8).IsEmpty;
}
