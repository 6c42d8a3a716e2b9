using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace GenericHttpEsp.Recipients;

/// <summary>Body of <c>PUT /v1/recipients/{email}</c>, and a line of an import.</summary>
/// <param name="Email">The address; in a PUT it may be left out, or repeats the one in the path in the spelling to keep.</param>
/// <param name="Attributes">Merged by name into what is stored; null removes. At most 64 KB, 500 names, depth 16.</param>
/// <param name="Lists">Import: lists to be on as well. PUT: exactly these lists. Absent: as before.</param>
/// <param name="TimeZone">IANA name; null removes, absent leaves.</param>
public sealed record RecipientRequest(
    string? Email = null, IReadOnlyDictionary<string, JsonElement>? Attributes = null, IReadOnlyList<string>? Lists = null, string? TimeZone = null);

/// <summary>A recipient.</summary>
/// <param name="Email">In the form given last.</param>
/// <param name="Attributes">As stored.</param>
/// <param name="Lists">Names, sorted.</param>
/// <param name="TimeZone">IANA name, or null.</param>
/// <param name="Subscription">Whether mail may go.</param>
public sealed record RecipientAnswer(string Email, JsonElement Attributes, IReadOnlyList<string> Lists, string? TimeZone, SubscriptionAnswer Subscription);

/// <summary>Whether mail may go to a recipient.</summary>
/// <param name="Status"><c>subscribed</c> or <c>unsubscribed</c>.</param>
/// <param name="Reason"><c>spam</c>, <c>unsubscribed</c>, <c>hard_bounce</c>, <c>by_hand</c>, or what was written by hand.</param>
/// <param name="Since">Null when nothing ever happened.</param>
public sealed record SubscriptionAnswer(SubscriptionStatus Status, string? Reason, DateTimeOffset? Since);

/// <summary>Body of <c>PUT /v1/recipients/{email}/subscription</c>: an act of a person.</summary>
/// <param name="Status"><c>subscribed</c> or <c>unsubscribed</c>.</param>
/// <param name="Reason">Free words; <c>spam</c>, <c>unsubscribed</c> and <c>hard_bounce</c> mean what they mean in events.</param>
public sealed record SubscriptionRequest(
    SubscriptionStatus Status,
    [StringLength(SubscriptionRules.ReasonMax), RegularExpression(@"[^\p{C}]*", ErrorMessage = "must not hold control characters")] string? Reason = null);

/// <summary>What an import did. <c>received = inserted + updated + rejected</c>.</summary>
/// <param name="Errors">The first hundred rejected lines.</param>
public sealed record ImportAnswer(long Received, long Inserted, long Updated, long Rejected, IReadOnlyList<ImportError> Errors);

/// <summary>A rejected line.</summary>
/// <param name="Line">From 1, the header included.</param>
/// <param name="Email">As given, if it could be read.</param>
/// <param name="Reason">All that is wrong with it.</param>
public sealed record ImportError(long Line, string? Email, string Reason);

/// <summary>Body of <c>POST /v1/lists</c>.</summary>
/// <param name="Name">At most 128 characters, no white space around it.</param>
public sealed record ListRequest([Required] string Name) : IValidatableObject
{
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        RecipientLimits.ListNameProblem(Name) is { } problem ? [new ValidationResult(problem, [nameof(Name)])] : [];
}

/// <summary>A list.</summary>
public sealed record ListAnswer(string Name, DateTimeOffset CreatedAt);
