namespace GenericHttpEsp.Providers;

/// <summary>Says at save time which endpoints dispatch would refuse to call. Implemented where the client lives.</summary>
internal interface IEndpointGuard
{
    /// <returns>Why not, or null.</returns>
    string? Refuse(Uri endpoint);
}
