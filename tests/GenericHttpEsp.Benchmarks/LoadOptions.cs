using System.Globalization;

namespace GenericHttpEsp.Benchmarks;

/// <summary>What is loaded.</summary>
/// <param name="Recipients">Imported and sent to.</param>
/// <param name="Batch">Records in a request.</param>
/// <param name="HtmlKilobytes">Of the message before rendering.</param>
/// <param name="Events">Share of the messages that the ESP reports as delivered, and fewer as the rest; with it also what follows a campaign is measured. 0: none.</param>
/// <param name="Postgres">Connection string of an empty database; null is the embedded mode.</param>
/// <param name="Server">More configuration for the server: <c>--set Section:Key=value</c>, any number of times.</param>
internal sealed record LoadOptions(int Recipients, int Batch, int HtmlKilobytes, double Events, string? Postgres, IReadOnlyList<string> Server)
{
    public const string Usage = "--recipients 200000 --batch 1000 --html-kb 5 [--events 0.05] [--postgres CONNECTION] [--set Section:Key=value]...";

    public static LoadOptions? Parse(string[] args)
    {
        var options = new LoadOptions(200_000, 1000, 5, 0, null, []);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var number = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed > 0 ? parsed : (int?)null;
            options = (args[i], number) switch
            {
                ("--recipients", { } n) => options with { Recipients = n },
                ("--batch", { } n) => options with { Batch = n },
                ("--html-kb", { } n) => options with { HtmlKilobytes = n },
                ("--events", _) when double.TryParse(value, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1 => options with { Events = share },
                ("--postgres", _) when value.Length > 0 => options with { Postgres = value },
                ("--set", _) when value.Length > 0 => options with { Server = [.. options.Server, $"--{value}"] },
                _ => null,
            };
            if (options is null)
            {
                return null;
            }
        }

        return options;
    }
}
