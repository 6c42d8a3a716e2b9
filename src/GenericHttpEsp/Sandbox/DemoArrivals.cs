using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>What the ESP saw of a campaign, from its own log.</summary>
internal static class DemoArrivals
{
    // The campaign is the sixth field of a message id from the right (an address may hold a bar).
    private const int CampaignFromRight = 6;
    private const int Fields = 8;

    public static (long Arrived, long Twice) Count(SandboxHost sandbox, long campaign)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var arrived = 0L;
        foreach (var id in sandbox.Entries().SelectMany(static entry => entry.AcceptedMessageIds).OfType<string>().Where(id => IsOf(id, campaign)))
        {
            arrived++;
            seen[id] = seen.GetValueOrDefault(id) + 1;
        }

        return (arrived, seen.Values.Count(static times => times > 1));
    }

    /// <summary>Unsubscribe links out of messages that the ESP still has.</summary>
    public static IEnumerable<Uri> UnsubscribeLinks(SandboxHost sandbox, int everyNth) => sandbox.Bodies
        .SelectMany(static request => JsonElement.Parse(request.Body.Span).GetProperty("msgs").EnumerateArray().ToList())
        .Where((_, position) => position % everyNth == 0)
        .Select(static message => new Uri(message.GetProperty("unsubscribe").GetString()!));

    private static bool IsOf(string messageId, long campaign)
    {
        var fields = messageId.Split('|');
        return fields.Length >= Fields && long.TryParse(fields[^CampaignFromRight], out var named) && named == campaign;
    }
}
