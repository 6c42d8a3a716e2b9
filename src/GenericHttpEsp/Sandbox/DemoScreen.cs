using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace GenericHttpEsp.Sandbox;

/// <summary>What the demo shows: colours and a moving bar in a terminal; the same words, line by line, in a file or a pipe.</summary>
internal sealed class DemoScreen(IAnsiConsole console, TimeProvider time)
{
    private int _step;

    // A bar in a pipe would be thousands of lines of control characters.
    private bool IsTerminal => console.Profile.Capabilities.Ansi && console.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;

    public void Step(string title, string text) => console.MarkupLine($"[bold]{++_step}  {Padded(title)}[/] {Markup.Escape(text)}");

    public void More(string text) => console.MarkupLine($"   {Padded("")} {Markup.Escape(text)}");

    public void Write(Spectre.Console.Rendering.IRenderable shown) => console.Write(shown);

    /// <summary>As is: a command must not be wrapped.</summary>
    public void Plain(string line) => console.Profile.Out.Writer.WriteLine(line);

    /// <summary>Follows a campaign; answers its last stats.</summary>
    public async Task<JsonElement> FollowAsync(IAsyncEnumerable<JsonElement> progress)
    {
        var began = time.GetTimestamp();
        if (!IsTerminal)
        {
            return await EachAsync(progress, stats => More(Line(stats, time.GetElapsedTime(began))));
        }

        return await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 30 }, new PercentageColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(new string(' ', 16));
                return await EachAsync(progress, stats =>
                {
                    bar.MaxValue = Math.Max(1, stats.GetProperty("audience").GetInt64());
                    bar.Value = Done(stats);
                    bar.Description = new string(' ', 16) + Line(stats, time.GetElapsedTime(began));
                });
            });
    }

    public static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    public static string Seconds(TimeSpan elapsed) => elapsed.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture);

    private static async Task<JsonElement> EachAsync(IAsyncEnumerable<JsonElement> progress, Action<JsonElement> show)
    {
        var last = default(JsonElement);
        await foreach (var stats in progress)
        {
            last = stats;
            show(stats);
        }

        return last.ValueKind == JsonValueKind.Object ? last : throw new DemoException("The campaign's progress ended before it began.");
    }

    private static string Line(JsonElement stats, TimeSpan elapsed) =>
        $"{Number(Done(stats))} of {Number(stats.GetProperty("audience").GetInt64())} after {Seconds(elapsed)}, {Number(stats.GetProperty("inFlight").GetInt64())} on the wire";

    private static long Done(JsonElement stats) => stats.GetProperty("audience").GetInt64() - stats.GetProperty("toCome").GetInt64();

    private static string Padded(string title) => title.PadRight(12);
}
