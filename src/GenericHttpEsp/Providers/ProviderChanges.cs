using System.Text.Json;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Providers;

/// <summary>What comes after a state. Pure; times come in.</summary>
internal static class ProviderChanges
{
    public const int VersionsKeptMax = 20;
    public const int TokensMax = 16;
    public const int PinsMax = 1000;

    public static ProviderState Create(ProviderDefinition definition, string sealedToken, long now)
    {
        var contract = Contract(definition);
        return new ProviderState
        {
            Name = contract.Nickname,
            Status = ProviderState.Active,
            Revision = 1,
            Version = 1,
            Contract = contract,
            Origin = definition.Origin,
            Secrets = new() { [definition.Origin] = new(definition.Sealed) },
            Tokens = [sealedToken],
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    /// <summary>The same state when nothing differs: a repeated call changes nothing.</summary>
    public static ProviderState Change(ProviderState state, ProviderDefinition definition, long now)
    {
        if (IsStored(state, definition))
        {
            return state;
        }

        var contract = Contract(definition);
        var reshaped = TemplateShape.Of(contract) != TemplateShape.Of(state.Contract!);
        return Trim(state with
        {
            Name = contract.Nickname,
            Revision = state.Revision + 1,
            Version = state.Version + (reshaped ? 1 : 0),
            Contract = contract,
            Origin = definition.Origin,
            Older = reshaped ? [.. state.Older, new(state.Version, state.Origin!, state.Contract!)] : state.Older,
            Secrets = new(state.Secrets) { [definition.Origin] = new(definition.Sealed) },
            UpdatedAt = now,
        });
    }

    public static bool IsStored(ProviderState state, ProviderDefinition definition) =>
        state.Origin == definition.Origin
        && Json(state.Contract) == definition.ContractJson
        && state.Secrets.TryGetValue(definition.Origin, out var secrets)
        && secrets.Count == definition.Sealed.Count
        && secrets.All(secret => definition.Sealed.TryGetValue(secret.Key, out var same) && same == secret.Value);

    public static ProviderState Archive(ProviderState state, long now) => state.Status == ProviderState.ArchivedStatus
        ? state
        : state with { Status = ProviderState.ArchivedStatus, Revision = state.Revision + 1, UpdatedAt = now };

    /// <summary>The id is never given again, so the row stays as a mark and for the tokens.</summary>
    public static ProviderState Delete(ProviderState state, long now) => state with
    {
        Name = null,
        Status = ProviderState.Deleted,
        Revision = state.Revision + 1,
        Contract = null,
        Origin = null,
        Older = [],
        Secrets = [],
        Pins = [],
        UpdatedAt = now,
    };

    public static ProviderState AddToken(ProviderState state, string sealedToken, bool revokeOthers, long now) => state with
    {
        Tokens = revokeOthers ? [sealedToken] : [.. state.Tokens, sealedToken],
        Revision = state.Revision + 1,
        UpdatedAt = now,
    };

    /// <summary>Not a change of the provider: its revision stays, or a starting campaign would make every open editor stale.</summary>
    public static ProviderState Pin(ProviderState state, long campaignId, int version) =>
        Trim(state with { Used = true, Pins = [.. state.Pins.Where(pin => pin.CampaignId != campaignId), new(campaignId, version)] });

    public static ProviderState Unpin(ProviderState state, long campaignId) =>
        Trim(state with { Pins = [.. state.Pins.Where(pin => pin.CampaignId != campaignId)] });

    public static string Json(ProviderContract? contract) => JsonSerializer.Serialize(contract, ApiJson.Options);

    /// <summary>Forgets versions that are old and not pinned, and the secrets of hosts that neither the current nor a pinned version calls.</summary>
    private static ProviderState Trim(ProviderState state)
    {
        var pinned = state.Pins.Select(pin => pin.Version).ToHashSet();
        var older = state.Older.Where(kept => kept.Version > state.Version - VersionsKeptMax || pinned.Contains(kept.Version)).ToList();
        var origins = older.Where(kept => pinned.Contains(kept.Version)).Select(kept => kept.Origin).Append(state.Origin!).ToHashSet(StringComparer.Ordinal);
        return state with { Older = older, Secrets = state.Secrets.Where(entry => origins.Contains(entry.Key)).ToDictionary() };
    }

    private static ProviderContract Contract(ProviderDefinition definition) =>
        JsonSerializer.Deserialize<ProviderContract>(definition.ContractJson, ApiJson.Options)!;
}
