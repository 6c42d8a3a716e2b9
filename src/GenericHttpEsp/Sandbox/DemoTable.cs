using Spectre.Console;

namespace GenericHttpEsp.Sandbox;

/// <summary>The demo's results side by side: each campaign's sum, what the ESP saw, and what came back.</summary>
internal static class DemoTable
{
    private static readonly (string Label, string Member)[] Events =
    [
        ("delivered", "delivered"), ("hard bounces", "hardBounce"), ("soft bounces", "softBounce"), ("spam reports", "spam"),
        ("left at the ESP", "unsubscribed"), ("clicks", "clicked"), ("people who clicked", "clickedUnique"),
    ];

    public static Table Of(IReadOnlyList<DemoResult> results)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var result in results)
        {
            table.AddColumn(new TableColumn(Markup.Escape($"{result.Id}: {result.Name}")).RightAligned());
        }

        Row("status", static result => result.Status);
        Count("audience", "audience", bold: true);
        Count("  accepted by the ESP", "accepted");
        Count("  refused by the ESP", "refused");
        Count("  failed", "failed");
        Count("  skipped", "skipped");
        foreach (var reason in results.SelectMany(static result => result.Skips).Select(static skip => skip.Reason).Distinct())
        {
            Row($"    {reason}", result => DemoScreen.Number(result.Skips.FirstOrDefault(skip => skip.Reason == reason).Count));
        }

        Count("  unknown", "unknown");
        Count("  to come", "toCome");
        Row("adds up, recounted", static result => result.AddsUp ? "yes" : "NO", bold: true);
        table.AddEmptyRow();
        Row("messages the ESP got", static result => DemoScreen.Number(result.Arrived));
        Row("  people it got twice", static result => DemoScreen.Number(result.Twice));
        Row("time", static result => DemoScreen.Seconds(result.Elapsed));
        Row("messages a second", static result => DemoScreen.Number((long)result.MessagesPerSecond));
        AddEvents();
        return table;

        void Row(string label, Func<DemoResult, string> value, bool bold = false)
        {
            var style = bold ? "bold" : "default";
            table.AddRow([new Markup(Markup.Escape(label), style), .. results.Select(result => new Markup(Markup.Escape(value(result)), style))]);
        }

        void Count(string label, string member, bool bold = false) => Row(label, result => DemoScreen.Number(result.Number(member)), bold);

        void AddEvents()
        {
            var told = Events.Where(one => results.Any(result => result.NumberOrNone(one.Member) is not null)).ToList();
            if (told.Count > 0)
            {
                table.AddEmptyRow();
            }

            told.ForEach(one => Row(one.Label, result => result.NumberOrNone(one.Member) is { } number ? DemoScreen.Number(number) : "-"));
        }
    }
}
