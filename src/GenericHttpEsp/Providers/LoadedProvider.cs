using System.Collections.Concurrent;
using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>One revision of a provider in this silo; template versions are opened and compiled when first asked for.</summary>
internal sealed class LoadedProvider
{
    private readonly ProviderSnapshot _snapshot;
    private readonly IProviderGrain _grain;
    private readonly SecretVault _vault;
    private readonly ProviderContract? _current;
    private readonly ConcurrentDictionary<int, Lazy<Task<ProviderRuntime?>>> _versions = new();

    public LoadedProvider(ProviderSnapshot snapshot, IProviderGrain grain, SecretVault vault)
    {
        (_snapshot, _grain, _vault) = (snapshot, grain, vault);
        _current = snapshot.Definition is null ? null : vault.Open(snapshot.Id, snapshot.Definition);
        Tokens = [.. snapshot.SealedTokens.Select(token => Encoding.ASCII.GetBytes(vault.OpenToken(snapshot.Id, token)))];
    }

    public long Revision => _snapshot.Revision;

    public IReadOnlyList<byte[]> Tokens { get; }

    public bool AcceptUnsignedMeta => _current?.AcceptUnsignedMeta == true;

    public async Task<ProviderRuntime?> RuntimeAsync(int? version, CancellationToken cancellationToken)
    {
        if (_current is null)
        {
            return null;
        }

        var wanted = version ?? _snapshot.Version;
        var made = _versions.GetOrAdd(wanted, number => new(() => Task.Run(() => MakeAsync(number), CancellationToken.None)));
        try
        {
            var runtime = await made.Value.WaitAsync(cancellationToken);
            if (runtime is null)
            {
                _versions.TryRemove(new(wanted, made));
            }

            return runtime;
        }
        catch when (made.Value.IsFaulted)
        {
            _versions.TryRemove(new(wanted, made));
            throw;
        }
    }

    private async Task<ProviderRuntime?> MakeAsync(int version)
    {
        if (version == _snapshot.Version)
        {
            return Runtime(version, _current!);
        }

        if (await _grain.ReadVersion(version) is not { } kept)
        {
            return null;
        }

        var then = _vault.Open(_snapshot.Id, kept.Definition);
        // Its own credentials for its own host; those of today as soon as the host is the same.
        var authentication = kept.Definition.Origin == _snapshot.Definition!.Origin ? _current!.Authentication : then.Authentication;
        return Runtime(version, TemplateShape.With(_current!, then) with { Authentication = authentication });
    }

    private ProviderRuntime Runtime(int version, ProviderContract contract)
    {
        var compiled = RequestTemplate.Compile(contract);
        return compiled.Template is { } template
            ? new(_snapshot.Id, version, _snapshot.Revision, _snapshot.Status, contract, template)
            : throw new InvalidOperationException(
                $"Provider {_snapshot.Id} version {version} was saved by a program with other rules; save it again. Wrong: {string.Join(", ", compiled.Errors.Keys)}");
    }
}
