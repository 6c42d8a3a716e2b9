using System.Text.Json;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Providers;

/// <param name="Name">What it is stored under: authentication.password; headers. and the name in lower case; parameters. and the name; endpoint. and the name.</param>
/// <param name="Pointer">Where it stands in the contract.</param>
/// <param name="Value">Null when absent.</param>
internal readonly record struct SecretMember(string Name, string Pointer, string? Value);

/// <summary>Which members of a contract are secret, and how they are taken out and put in.</summary>
internal static class ProviderSecrets
{
    public static IReadOnlyList<SecretMember> Of(ProviderContract contract)
    {
        var found = new List<SecretMember>();
        Replace(contract, member =>
        {
            found.Add(member);
            return member.Value;
        });
        return found;
    }

    public static ProviderContract Replace(ProviderContract contract, Func<SecretMember, string?> value) => contract with
    {
        Authentication = Password(contract.Authentication, value),
        Endpoint = ParameterSecrets.Replace(contract.Endpoint, value),
        Parameters = ParameterSecrets.Replace(contract.Parameters, value),
        Headers = contract.Headers is null ? null : [.. contract.Headers.Select((header, index) => Header(header, index, value))],
    };

    /// <summary>A contract whose requests show masks instead of the secrets in body and address; headers are masked when they are shown.</summary>
    public static ProviderContract Masked(ProviderContract contract) => contract with
    {
        Endpoint = ParameterSecrets.Replace(contract.Endpoint, static member => SecretMask.Of(member.Value)),
        // Its last four must stay text where the template is read.
        Parameters = ParameterSecrets.Replace(contract.Parameters, static member => SecretMask.Of(member.Value)?.Replace("$$", "$$$$", StringComparison.Ordinal)),
    };

    /// <summary>Host and port of an endpoint: who may get its secrets.</summary>
    public static string Origin(string? endpoint) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) ? $"{uri.IdnHost.ToLowerInvariant()}:{uri.Port}" : "";

    public static ProviderContract Parse(string contractJson) => JsonSerializer.Deserialize<ProviderContract>(contractJson, ApiJson.Options)!;

    private static AuthenticationContract? Password(AuthenticationContract? authentication, Func<SecretMember, string?> value) => authentication switch
    {
        null => null,
        // Without Basic there is nothing to keep: a password that is never sent is only a danger.
        { Type: not "basic" } => authentication with { Password = null },
        _ => authentication with { Password = value(new("authentication.password", "/authentication/password", authentication.Password)) },
    };

    private static HeaderContract Header(HeaderContract? header, int index, Func<SecretMember, string?> value) => header switch
    {
        null => new(null, null, null),
        { IsSecret: false } => header,
        _ => header with { Value = value(new($"headers.{header.Name?.ToLowerInvariant()}", $"/headers/{index}/value", header.Value)) },
    };
}

/// <summary>What is shown instead of a secret.</summary>
internal static class SecretMask
{
    public const string Stars = "****";
    private const int TailLength = 4;
    private const int TailFrom = 12;

    /// <summary>Null for a secret that is empty: there is none.</summary>
    public static string? Of(string? secret)
    {
        if (string.IsNullOrEmpty(secret) || secret.Length < TailFrom)
        {
            return string.IsNullOrEmpty(secret) ? null : Stars;
        }

        // Half of a surrogate pair is no text.
        var start = secret.Length - TailLength + (char.IsLowSurrogate(secret[^TailLength]) ? 1 : 0);
        return Stars + secret[start..];
    }

    public static bool Is(string? value) => value is not null && value.StartsWith(Stars, StringComparison.Ordinal) && value.Length <= Stars.Length + TailLength;
}
