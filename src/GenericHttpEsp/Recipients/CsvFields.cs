using System.Text;

namespace GenericHttpEsp.Recipients;

/// <summary>One CSV record to its fields. Pure.</summary>
internal static class CsvFields
{
    /// <param name="record">Valid UTF-8, without the line break at its end.</param>
    /// <param name="fields">Cleared and filled.</param>
    /// <returns>False when a quote is not closed or text stands behind a closing one.</returns>
    public static bool TrySplit(ReadOnlySpan<byte> record, byte delimiter, List<string> fields)
    {
        fields.Clear();
        while (true)
        {
            int length;
            if (record is [(byte)'"', ..])
            {
                length = QuotedLength(record);
                if (length < 0 || (length < record.Length && record[length] != delimiter))
                {
                    return false;
                }

                fields.Add(Encoding.UTF8.GetString(record[1..(length - 1)]).Replace("\"\"", "\"", StringComparison.Ordinal));
            }
            else
            {
                length = record.IndexOf(delimiter) is >= 0 and var found ? found : record.Length;
                fields.Add(Encoding.UTF8.GetString(record[..length]));
            }

            if (length == record.Length)
            {
                return true;
            }

            record = record[(length + 1)..];
        }
    }

    /// <summary>The comma, unless a header without one is separated by semicolons or tabs, as spreadsheets of half of Europe write it.</summary>
    public static byte DelimiterOf(ReadOnlySpan<byte> header) =>
        header.Contains((byte)',') ? (byte)',' : header.Contains((byte)';') ? (byte)';' : header.Contains((byte)'\t') ? (byte)'\t' : (byte)',';

    // With both quotes; -1 when the second one is missing.
    private static int QuotedLength(ReadOnlySpan<byte> record)
    {
        var at = 1;
        while (true)
        {
            var next = record[at..].IndexOf((byte)'"');
            if (next < 0)
            {
                return -1;
            }

            at += next + 1;
            if (at == record.Length || record[at] != '"')
            {
                return at;
            }

            at++;
        }
    }
}
