using System.Text.Json;

namespace GenericHttpEsp.Providers;

/// <summary>Answer of the calls on one provider. Secrets are masked: <c>****</c> and, from 12 characters on, their last four; null when there is none.</summary>
public sealed record ProviderResource(long Id)
{
    public required string Status { get; init; }

    /// <summary>Of the template: raised when the requests it makes change shape. Running campaigns keep theirs.</summary>
    public required int Version { get; init; }

    /// <summary>Where the ESP posts its callbacks. Whoever has it can post them: keep it as a secret.</summary>
    public required string CallbackUrl { get; init; }

    /// <summary>Callback URLs that are valid, this one included.</summary>
    public required int CallbackUrls { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Names of the values a campaign has to give, without the <c>$$</c>.</summary>
    public required IReadOnlyList<string> CustomPlaceholders { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public string? Nickname { get; init; }

    public string? RequestType { get; init; }

    public string? Endpoint { get; init; }

    public AuthenticationContract? Authentication { get; init; }

    public IReadOnlyList<HeaderContract>? Headers { get; init; }

    public string? BodyFormat { get; init; }

    public string? Compression { get; init; }

    public JsonElement? Parameters { get; init; }

    public BatchContract? Batch { get; init; }

    public string? DefaultFromName { get; init; }

    public string? DefaultFromAddress { get; init; }

    public string? DefaultReplyToAddress { get; init; }

    public PreferenceCenterContract? PreferenceCenter { get; init; }

    public LimitsContract? Limits { get; init; }

    public string? OnUnknown { get; init; }

    public IdempotencyContract? Idempotency { get; init; }

    public AnswersContract? Answers { get; init; }

    public ResponseContract? Response { get; init; }

    public bool? AcceptUnsignedMeta { get; init; }

    /// <summary>The snapshot of a provider that was not deleted.</summary>
    internal static ProviderResource Of(ProviderSnapshot snapshot, SecretVault vault, string publicUrl)
    {
        var contract = vault.Open(snapshot.Id, snapshot.Definition!);
        var compiled = RequestTemplate.Compile(contract);
        var shown = ProviderSecrets.Replace(contract, member => SecretMask.Of(member.Value));
        return new(snapshot.Id)
        {
            Status = snapshot.Status,
            Version = snapshot.Version,
            CallbackUrl = $"{publicUrl}/callbacks/{vault.OpenToken(snapshot.Id, snapshot.SealedTokens[^1])}",
            CallbackUrls = snapshot.SealedTokens.Count,
            Warnings = compiled.Warnings,
            CustomPlaceholders = compiled.Template?.CustomPlaceholders ?? [],
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(snapshot.CreatedAt),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(snapshot.UpdatedAt),
            Nickname = shown.Nickname,
            RequestType = shown.RequestType,
            Endpoint = shown.Endpoint,
            Authentication = shown.Authentication,
            Headers = shown.Headers,
            BodyFormat = shown.BodyFormat,
            Compression = shown.Compression,
            Parameters = shown.Parameters,
            Batch = shown.Batch,
            DefaultFromName = shown.DefaultFromName,
            DefaultFromAddress = shown.DefaultFromAddress,
            DefaultReplyToAddress = shown.DefaultReplyToAddress,
            PreferenceCenter = shown.PreferenceCenter,
            Limits = shown.Limits,
            OnUnknown = shown.OnUnknown,
            Idempotency = shown.Idempotency,
            Answers = shown.Answers,
            Response = shown.Response,
            AcceptUnsignedMeta = shown.AcceptUnsignedMeta,
        };
    }
}

/// <summary>A line of <c>GET /v1/providers</c>.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="Nickname">Unique.</param>
/// <param name="Status">active or archived.</param>
/// <param name="Version">Of the template.</param>
/// <param name="Revision">The entity tag without its quotes.</param>
/// <param name="RequestType">GET or POST.</param>
/// <param name="Endpoint">The ESP's address.</param>
/// <param name="BatchSize">Null without batching.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
public sealed record ProviderSummary(
    long Id,
    string Nickname,
    string Status,
    int Version,
    long Revision,
    string? RequestType,
    string? Endpoint,
    int? BatchSize,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <summary>Body of <c>POST /v1/providers/{id}/rotate-callback</c>, which may be left out.</summary>
/// <param name="RevokeOthers">Refuses the older URLs from now on; else they stay valid beside the new one.</param>
public sealed record RotateCallbackRequest(bool RevokeOthers = false);
