using System.Text.Json;
using System.Text.Json.Nodes;

namespace GenericHttpEsp.Tests.Api;

/// <summary>An answer, and what is wrong with it as an answer to hostile input.</summary>
/// <param name="IsOwnShape">A page for people, or the framework's own: no problem details.</param>
internal sealed record HostileReply(int Status, string? ContentType, string Body, TimeSpan Took, bool NoSniff, bool IsOwnShape)
{
    /// <summary>Two seconds would do; the machine is shared with other tests.</summary>
    private static readonly TimeSpan TookMax = TimeSpan.FromSeconds(5);

    public bool IsSuccess => Status is >= 200 and < 300;

    public JsonNode? Json => JsonNode.Parse(Body);

    /// <summary>Null when the answer is one of those expected, in time, and tells what is wrong in the way the API tells it.</summary>
    public string? Wrong(params ReadOnlySpan<int> statuses) =>
        Took > TookMax ? $"took {Took}"
        : !statuses.Contains(Status) ? $"{Status} {Short}"
        // What is quoted from others must never be taken for a page.
        : !NoSniff && Body.Length > 0 ? "without nosniff"
        : Status < 400 || IsOwnShape ? null
        : WrongProblem();

    /// <summary>The same, and that the errors name the place.</summary>
    public string? WrongAt(string? pointer, string? says, params ReadOnlySpan<int> statuses) => Wrong(statuses) is { } wrong ? wrong
        : Status != 422 || pointer is null ? null
        : !Errors.Any(error => Touch(error.Key, pointer)) ? $"errors point at {string.Join(", ", Errors.Select(static error => error.Key))}"
        : says is not null && !Body.Contains(says, StringComparison.Ordinal) ? $"does not say {says}: {Short}"
        : null;

    private JsonObject Errors => Json?["errors"] as JsonObject ?? [];

    private string Short => Body.Length > 300 ? Body[..300] : Body;

    private static bool Touch(string left, string right) =>
        left == right || left.StartsWith(right + "/", StringComparison.Ordinal) || right.StartsWith(left + "/", StringComparison.Ordinal);

    private string? WrongProblem()
    {
        // What Kestrel refuses by itself has no body.
        if (Body.Length == 0 && Status is 400 or 408 or 414 or 431)
        {
            return null;
        }

        if (ContentType != "application/problem+json")
        {
            return $"{Status} as {ContentType}: {Short}";
        }

        try
        {
            var problem = Json!.AsObject();
            return (int?)problem["status"] != Status || problem["title"] is null ? $"no problem details: {Short}"
                : Status == 422 && Errors.Count == 0 ? $"no errors: {Short}"
                : Body.Contains("   at ", StringComparison.Ordinal) ? $"a stack trace: {Short}"
                : Body.Length > 64 * 1024 ? $"{Body.Length} characters"
                : null;
        }
        catch (JsonException unreadable)
        {
            return $"{unreadable.Message}: {Short}";
        }
    }
}
