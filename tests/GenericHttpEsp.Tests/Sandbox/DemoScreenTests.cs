using System.Text.Json;
using GenericHttpEsp.Sandbox;
using Spectre.Console;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class DemoScreenTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Follow_OnTerminalAndInPipe_ShowsAndAnswersTheLast(bool isTerminal)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(output),
        });

        var last = await new DemoScreen(console, isTerminal, TimeProvider.System).FollowAsync(ProgressAsync(0, 500, 1000));

        Assert.Equal(0, last.GetProperty("toCome").GetInt64());
        Assert.Contains("1,000 of 1,000", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(isTerminal, output.ToString().Contains("100%", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Follow_OfNothing_SaysSo() => await Assert.ThrowsAsync<DemoException>(
        () => new DemoScreen(AnsiConsole.Console, isTerminal: false, TimeProvider.System).FollowAsync(ProgressAsync()));

    private static async IAsyncEnumerable<JsonElement> ProgressAsync(params int[] done)
    {
        foreach (var number in done)
        {
            await Task.CompletedTask;
            yield return JsonElement.Parse($$"""{"audience":1000,"toCome":{{1000 - number}},"inFlight":0}""");
        }
    }
}
