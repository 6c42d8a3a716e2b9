using System.Text;
using System.Text.RegularExpressions;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>One request as the ESP saw it.</summary>
internal sealed class EspRequest(string from)
{
    public string From => from;

    /// <summary>When its head arrived; null while it is on its way.</summary>
    public long? Head { get; set; }

    public StringBuilder Text { get; } = new();

    public string Key => SimulatedEsp.Keys().Match(Text.ToString()).Groups[1].Value;

    public long[] People => [.. SimulatedEsp.Tos().Matches(Text.ToString()).Select(static match => long.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>Which correction of the profiles each message was made from.</summary>
    public int[] Issues => [.. SimulatedEsp.IssueTexts().Matches(Text.ToString()).Select(static match => int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture))];

    public string[] Metas => [.. SimulatedEsp.MetaTexts().Matches(Text.ToString()).Select(static match => match.Groups[1].Value)];
}

/// <summary>The judge: what really arrived, and what was taken. Its habits are drawn for each seed.</summary>
internal sealed partial class SimulatedEsp(World world)
{
    private readonly Dictionary<string, bool> _taken = [];

    /// <summary>A key that was taken is answered again and taken no more.</summary>
    public bool HonoursKeys { get; set; }

    /// <summary>Share of requests that do not simply get a 200.</summary>
    public double Moods { get; set; }

    /// <summary>People it refuses, and with them the whole request.</summary>
    public HashSet<long> Refuses { get; } = [];

    public int SizeMax { get; set; } = int.MaxValue;

    public List<EspRequest> Requests { get; } = [];

    /// <summary>How often somebody's message was taken.</summary>
    public Dictionary<long, int> Accepted { get; } = [];

    /// <summary>Told of each message taken.</summary>
    public Action<long, string>? Took { get; set; }

    [GeneratedRegex("\"key\":\"([a-z2-7]{26})\"")]
    internal static partial Regex Keys();

    [GeneratedRegex("\"to\":\"p([0-9]+)@")]
    internal static partial Regex Tos();

    [GeneratedRegex("\"meta\":\"([^\"]+)\"")]
    internal static partial Regex MetaTexts();

    [GeneratedRegex("Hello ([0-9]+)")]
    internal static partial Regex IssueTexts();

    public bool HasTaken(string? key) => key is not null && _taken.ContainsKey(key);

    /// <summary>The whole request is there. Null: no answer will ever come.</summary>
    public int? Answer(EspRequest request)
    {
        var people = request.People;
        var status = Draw(people);
        var takes = status is 200 || (status is null or 500 or 502 && world.Chance(0.5));
        if (takes && HonoursKeys && _taken.ContainsKey(request.Key))
        {
            world.Tell($"esp: key {request.Key[..4]} again, answers {status}");
            return status;
        }

        world.Tell($"esp: {(takes ? "takes" : "does not take")} {request.Key[..4]} with {string.Join(',', people)} from {request.From}, answers {status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "nothing"}");
        if (takes)
        {
            _taken[request.Key] = true;
            foreach (var (person, meta) in people.Zip(request.Metas))
            {
                Accepted[person] = Accepted.GetValueOrDefault(person) + 1;
                Took?.Invoke(person, meta);
            }
        }

        return status;
    }

    private int? Draw(long[] people)
    {
        if (people.Length > SizeMax)
        {
            return 413;
        }

        if (people.Any(Refuses.Contains))
        {
            return people.Length > 1 && world.Chance(0.5) ? 400 : 422;
        }

        return !world.Chance(Moods) ? 200 : world.Random.Next(6) switch
        {
            0 => 429,
            1 => 503,
            2 => 500,
            3 => 502,
            _ => null,
        };
    }
}
