using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Providers;

/// <summary>What came of an edit: the grain's answer, or what is wrong with the body.</summary>
internal readonly record struct ProviderEdit(ProviderAnswer? Answer, IReadOnlyDictionary<string, string[]>? Errors)
{
    public static ProviderEdit Wrong(string pointer, string message) => new(null, new Dictionary<string, string[]> { [pointer] = [message] });
}

/// <summary>Checks what clients say about providers, seals their secrets and hands it to the grain.</summary>
internal sealed class ProviderEditor(
    IGrainFactory grains, LedgerDatabase database, SecretVault vault, ProviderCatalog catalog, ProviderIndex index, IEndpointGuard guard)
{
    private const string Sequence = "provider";

    private static ProviderEdit Taken => ProviderEdit.Wrong("/nickname", "Another provider has this nickname.");

    public async Task<ProviderEdit> CreateAsync(ProviderContract sent, CancellationToken cancellationToken)
    {
        var (contract, errors) = Check(sent, new HashSet<string>(), stored: null);
        if (errors.Count > 0)
        {
            return new(null, errors);
        }

        if (await index.IsTakenAsync(contract.Nickname!, by: 0, cancellationToken))
        {
            return Taken;
        }

        var id = await Settings.NextAsync(database, Sequence, cancellationToken);
        return Done(id, await Grain(id).Create(vault.Seal(id, contract, before: null), vault.SealToken(id, CallbackTokens.New(id))));
    }

    /// <param name="current">What the client is believed to have seen; the grain refuses when it is no longer so.</param>
    /// <param name="sent">The whole contract.</param>
    /// <param name="nulls">Pointers of secrets that were sent as null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ProviderEdit> ChangeAsync(ProviderSnapshot current, ProviderContract sent, IReadOnlySet<string> nulls, CancellationToken cancellationToken)
    {
        var (contract, errors) = Check(sent, nulls, vault.Open(current.Id, current.Definition!));
        return errors.Count > 0 ? new(null, errors)
            : await index.IsTakenAsync(contract.Nickname!, current.Id, cancellationToken) ? Taken
            : Done(current.Id, await Grain(current.Id).Change(vault.Seal(current.Id, contract, current.Definition), current.Revision));
    }

    /// <param name="id">The provider's.</param>
    /// <param name="revision">What the client has seen, when it said so: the grain refuses when it is no longer so.</param>
    public async Task<ProviderAnswer> ArchiveAsync(long id, long? revision) =>
        Forget(id, await (revision is { } seen ? Grain(id).ArchiveIf(seen) : Grain(id).Archive()));

    /// <inheritdoc cref="ArchiveAsync"/>
    public async Task<ProviderAnswer> DeleteAsync(long id, long? revision) =>
        Forget(id, await (revision is { } seen ? Grain(id).DeleteIf(seen) : Grain(id).Delete()));

    /// <summary>Asks first: a number that no provider can have fits no token.</summary>
    public async Task<ProviderAnswer> RotateAsync(long id, bool revokeOthers, long? revision)
    {
        if (await ReadAsync(id) is null)
        {
            return new(ProviderResult.Missing, null);
        }

        var token = vault.SealToken(id, CallbackTokens.New(id));
        return Forget(id, await (revision is { } seen ? Grain(id).AddCallbackTokenIf(token, revokeOthers, seen) : Grain(id).AddCallbackToken(token, revokeOthers)));
    }

    /// <summary>Null when there is none, or it was deleted.</summary>
    public async Task<ProviderSnapshot?> ReadAsync(long id) => await Grain(id).Read() is { Definition: not null } snapshot ? snapshot : null;

    private IProviderGrain Grain(long id) => grains.GetGrain<IProviderGrain>(id);

    private ProviderEdit Done(long id, ProviderAnswer answer) => Forget(id, answer).Result == ProviderResult.NameTaken
        ? Taken
        : new(answer, null);

    private ProviderAnswer Forget(long id, ProviderAnswer answer)
    {
        catalog.Forget(id);
        return answer;
    }

    private (ProviderContract Contract, IReadOnlyDictionary<string, string[]> Errors) Check(
        ProviderContract sent, IReadOnlySet<string> nulls, ProviderContract? stored)
    {
        var problems = new TemplateProblems();
        var contract = SecretMerge.Apply(sent with { Nickname = sent.Nickname?.Trim().Normalize() }, nulls, stored, problems);
        foreach (var (pointer, messages) in RequestTemplate.Compile(contract).Errors)
        {
            Array.ForEach(messages, message => problems.Add(pointer, message));
        }

        // What is no address at all was found above.
        if (!problems.Errors.ContainsKey("/endpoint") && guard.Refuse(new Uri(contract.Endpoint!)) is { } refusal)
        {
            problems.Add("/endpoint", refusal);
        }

        return (contract, problems.Errors);
    }
}
