using System.Text;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Providers;

/// <summary>
/// Seals secrets with the installation's key: <c>key id, dot, base64</c> of AES-256-GCM. Provider, host and member are authenticated with it, so a sealed
/// value moved to another row, host or member does not open.
/// </summary>
internal sealed class SecretVault(InstallationKeys keys)
{
    // There is one key so far; the id is what a rotation will find the old one by.
    private const string KeyId = "a";
    private const string TokenMember = "callback";

    public string Seal(long providerId, string origin, string member, string plain) =>
        $"{KeyId}.{Convert.ToBase64String(WrappingKey.Seal(keys.Secret, Encoding.UTF8.GetBytes(plain), Associated(providerId, origin, member)))}";

    /// <exception cref="InvalidOperationException">It was sealed by another key, or for another place.</exception>
    public string Open(long providerId, string origin, string member, string sealedText)
    {
        var (keyId, text) = (sealedText[..KeyId.Length], sealedText[(KeyId.Length + 1)..]);
        if (keyId != KeyId)
        {
            throw new InvalidOperationException($"Provider {providerId} has a secret sealed with key '{keyId}', which this installation does not have.");
        }

        return Encoding.UTF8.GetString(WrappingKey.Open(keys.Secret, Convert.FromBase64String(text), Associated(providerId, origin, member)));
    }

    public string SealToken(long providerId, string token) => Seal(providerId, "", TokenMember, token);

    public string OpenToken(long providerId, string sealedText) => Open(providerId, "", TokenMember, sealedText);

    /// <summary>The contract with its secrets.</summary>
    public ProviderContract Open(long providerId, ProviderDefinition definition) => ProviderSecrets.Replace(
        ProviderSecrets.Parse(definition.ContractJson),
        // A secret that was removed is an empty one; one that was saved before its name counted as a secret stands there in the open.
        member => definition.Sealed.TryGetValue(member.Name, out var text) ? Open(providerId, definition.Origin, member.Name, text)
            : member.Value is { } open && !SecretMask.Is(open) ? open : "");

    /// <summary>The definition of a contract. What did not change keeps its sealed text, so that a repeated call is recognised.</summary>
    /// <param name="providerId">Whose it is.</param>
    /// <param name="contract">With its secrets.</param>
    /// <param name="before">What was stored until now.</param>
    public ProviderDefinition Seal(long providerId, ProviderContract contract, ProviderDefinition? before)
    {
        var origin = ProviderSecrets.Origin(contract.Endpoint);
        var known = before is not null && before.Origin == origin ? before.Sealed : new Dictionary<string, string>();
        var secrets = new Dictionary<string, string>();
        foreach (var member in ProviderSecrets.Of(contract).Where(member => !string.IsNullOrEmpty(member.Value)))
        {
            secrets[member.Name] = known.TryGetValue(member.Name, out var text) && Open(providerId, origin, member.Name, text) == member.Value
                ? text
                : Seal(providerId, origin, member.Name, member.Value!);
        }

        return new(ProviderChanges.Json(ProviderSecrets.Replace(contract, static _ => null)), origin, secrets);
    }

    private static byte[] Associated(long providerId, string origin, string member) => Encoding.UTF8.GetBytes($"{providerId}\n{origin}\n{member}");
}
