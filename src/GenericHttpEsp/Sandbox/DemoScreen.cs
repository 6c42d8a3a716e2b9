using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace GenericHttpEsp.Sandbox;

/// <summary>What the demo shows: colours and a moving bar in a terminal; the same words, line by line, in a file or a pipe.</summary>
internal sealed class DemoScreen
{
    // Where there is no terminal there is no edge to break lines at.
    private const int PipeWidth = 200;
    private const string Margin = "                ";
    private readonly IAnsiConsole _console;
    private readonly TimeProvider _time;
    private readonly bool _isTerminal;
    private int _step;

    public DemoScreen(IAnsiConsole console, bool isTerminal, TimeProvider time)
    {
        (_console, _time) = (console, time);
        _isTerminal = isTerminal && console.Profile.Capabilities is { Ansi: true, Interactive: true };
        console.Profile.Width = _isTerminal ? console.Profile.Width : PipeWidth;
    }

    public void Step(string title, string text) => _console.MarkupLine($"[bold]{++_step}  {title.PadRight(12)}[/] {Markup.Escape(text)}");

    public void More(string text) => _console.MarkupLine(Margin + Markup.Escape(text));

    public void Write(Spectre.Console.Rendering.IRenderable shown) => _console.Write(shown);

    /// <summary>As is: a command must not be wrapped.</summary>
    public void Plain(string line) => _console.Profile.Out.Writer.WriteLine(line);

    /// <summary>Follows a campaign; answers its last stats.</summary>
    public async Task<JsonElement> FollowAsync(IAsyncEnumerable<JsonElement> progress)
    {
        var began = _time.GetTimestamp();
        if (!_isTerminal)
        {
            // A bar in a pipe would be thousands of lines of control characters.
            return await EachAsync(progress, stats => More(Line(stats, _time.GetElapsedTime(began))));
        }

        return await _console.Progress()
            // The words last: their length changes, and the bar would jump.
            .Columns(new ProgressBarColumn { Width = 30 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async context =>
            {
                var bar = context.AddTask("starts");
                return await EachAsync(progress, stats =>
                {
                    bar.MaxValue = Math.Max(1, stats.GetProperty("audience").GetInt64());
                    bar.Value = Done(stats);
                    bar.Description = Line(stats, _time.GetElapsedTime(began));
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
}
