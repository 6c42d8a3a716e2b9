using System.Security.Cryptography;

namespace GenericHttpEsp.Dispatch;

/// <summary>What this process is called in the rows of leases and shares: new with each start, so that nothing of an earlier life counts as its own.</summary>
internal sealed record SiloName(string Text)
{
    public static SiloName Draw() => new(RandomNumberGenerator.GetHexString(16, lowercase: true));
}
