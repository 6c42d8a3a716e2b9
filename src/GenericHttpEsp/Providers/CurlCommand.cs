using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>A request as a command for a POSIX shell that sends the same bytes.</summary>
internal static class CurlCommand
{
    public static string Of(string method, Uri uri, IReadOnlyList<PreviewHeader> headers, string body, bool gzip = false)
    {
        var command = new StringBuilder();
        if (body.Length > 0)
        {
            // Through a pipe: an argument may not be as long as a batch, and --data reads a leading @ as a file's name.
            command.Append("printf %s ").Append(Quote(body)).Append(gzip ? " | gzip -n | " : " | ");
        }

        // --globoff and --path-as-is: brackets and dots of the address are meant as they stand.
        command.Append("curl --silent --show-error --include --http1.1 --globoff --path-as-is --request ").Append(method);
        foreach (var header in headers)
        {
            // "Name:" would take the header away; "Name;" sends it empty.
            command.Append(" \\\n  --header ").Append(Quote(header.Value.Length > 0 ? $"{header.Name}: {header.Value}" : $"{header.Name};"));
        }

        if (body.Length > 0)
        {
            command.Append(" \\\n  --data-binary @-");
        }

        return command.Append(" \\\n  ").Append(Quote(uri.AbsoluteUri)).ToString();
    }

    /// <summary>Inside single quotes a shell reads nothing but the closing quote.</summary>
    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
