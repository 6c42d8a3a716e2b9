using System.Text.Json;
using System.Text.Json.Serialization;

namespace GenericHttpEsp.Providers;

/// <summary>
/// Body of <c>POST /v1/providers</c>. Names and numbers are checked by <see cref="TemplateRules"/>, all at once, so nothing is an enum here.
/// Secret are: <see cref="AuthenticationContract.Password"/>, the value of each header whose <see cref="HeaderContract.IsSecret"/> holds, and what
/// <see cref="ParameterSecrets"/> finds in parameters and endpoint.
/// </summary>
public sealed record ProviderContract
{
    public string? Nickname { get; init; }

    /// <summary>GET or POST.</summary>
    public string? RequestType { get; init; }

    /// <summary>Absolute http or https address, without user and password.</summary>
    public string? Endpoint { get; init; }

    public AuthenticationContract? Authentication { get; init; }

    public IReadOnlyList<HeaderContract>? Headers { get; init; }

    /// <summary>json (default), form, xml or text.</summary>
    public string? BodyFormat { get; init; }

    /// <summary>none (default) or gzip, of a POST's body. <c>batch.maxBytes</c> counts the body before it.</summary>
    public string? Compression { get; init; }

    /// <summary>
    /// The template: JSON itself (or a string that holds JSON) for json; a flat object for form and GET; a string for xml and text. In an object a text
    /// without placeholders whose name looks like a credential (key, token, apikey, ...) is kept as a secret.
    /// </summary>
    public JsonElement? Parameters { get; init; }

    public BatchContract? Batch { get; init; }

    public string? DefaultFromName { get; init; }

    public string? DefaultFromAddress { get; init; }

    public string? DefaultReplyToAddress { get; init; }

    public PreferenceCenterContract? PreferenceCenter { get; init; }

    public LimitsContract? Limits { get; init; }

    /// <summary>hold (default) or retry.</summary>
    public string? OnUnknown { get; init; }

    public IdempotencyContract? Idempotency { get; init; }

    public AnswersContract? Answers { get; init; }

    /// <summary>How to read the answer to a batch, record by record. Absent: a 2xx accepts them all.</summary>
    public ResponseContract? Response { get; init; }

    /// <summary>Callbacks whose meta has an empty field 8 count when they name a message of ours.</summary>
    public bool? AcceptUnsignedMeta { get; init; }
}

/// <param name="Type">none or basic.</param>
/// <param name="Username">For basic.</param>
/// <param name="Password">For basic. Secret.</param>
public sealed record AuthenticationContract(string? Type, string? Username, string? Password);

/// <param name="Name">An HTTP token; not one that belongs to the connection.</param>
/// <param name="Value">May hold placeholders.</param>
/// <param name="Secret">Whether the value is stored encrypted and masked; when absent, yes for names that look like credentials.</param>
public sealed record HeaderContract(string? Name, string? Value, bool? Secret)
{
    private static readonly string[] CredentialParts = ["authorization", "token", "secret", "password", "apikey", "api-key", "api_key", "auth-key", "cookie", "signature"];

    [JsonIgnore]
    public bool IsSecret => Secret ?? (Name is not null && IsCredential(Name));

    internal static bool IsCredential(string name) => CredentialParts.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase));
}

/// <param name="Parameter">The key whose value is repeated; empty for the root array.</param>
/// <param name="Size">Records a call, 2 to 1000.</param>
/// <param name="MaxBytes">Largest body in bytes.</param>
/// <param name="LingerMilliseconds">How long a partly filled batch may wait for more records, 0 to 60,000; absent: until it is full or its slice of the audience ends.</param>
public sealed record BatchContract(string? Parameter, int? Size, int? MaxBytes, int? LingerMilliseconds);

/// <param name="Type">none (default), system or customUrl.</param>
/// <param name="Url">For customUrl: absolute http or https address.</param>
public sealed record PreferenceCenterContract(string? Type, string? Url);

/// <summary>Null means no limit of the operator's; the cluster's own maxima always hold.</summary>
public sealed record LimitsContract(double? RequestsPerSecond, double? MessagesPerSecond, int? Concurrency);

/// <param name="KeyLifetimeSeconds">How long the ESP remembers a <c>$$BatchID</c>.</param>
public sealed record IdempotencyContract(int? KeyLifetimeSeconds);

/// <param name="On500">unknown (default) or retry.</param>
/// <param name="Statuses">
/// Statuses with a meaning of their own, such as <c>{"409": "accepted"}</c>: accepted, later, unknown, refused, halve, bisect or configuration.
/// </param>
public sealed record AnswersContract(string? On500, IReadOnlyDictionary<string, string>? Statuses = null);

/// <param name="Records">Where the results of the single records stand in a 2xx answer.</param>
public sealed record ResponseContract(RecordsContract? Records);

/// <param name="Path">The array of results, member names joined by dots; empty for the root array.</param>
/// <param name="MatchBy">position (in the request), email or meta.</param>
/// <param name="Id">Path within a result to the address or meta it is about; not used with position.</param>
/// <param name="Accepted">What makes a result an acceptance.</param>
public sealed record RecordsContract(string? Path, string? MatchBy, string? Id, AcceptedContract? Accepted);

/// <param name="Path">Path within a result.</param>
/// <param name="EqualTo">The value that stands there when the record was accepted: string, number or boolean.</param>
public sealed record AcceptedContract(string? Path, [property: JsonPropertyName("equals")] JsonElement? EqualTo);
