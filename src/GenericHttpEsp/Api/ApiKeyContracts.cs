using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Api;

/// <summary><c>POST /v1/keys</c>.</summary>
/// <param name="Name">What the key is for; shown in the list.</param>
public sealed record ApiKeyRequest([Required, StringLength(100, MinimumLength = 1)] string? Name);

/// <summary>A key without its secret.</summary>
public sealed record ApiKeyAnswer(long Id, string Name, DateTimeOffset CreatedAt);

/// <summary>The answer to <c>POST /v1/keys</c>.</summary>
/// <param name="Key">Shown this once; only its hash is stored.</param>
public sealed record ApiKeyMade(long Id, string Name, DateTimeOffset CreatedAt, string Key);
