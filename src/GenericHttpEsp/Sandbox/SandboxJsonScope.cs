namespace GenericHttpEsp.Sandbox;

/// <summary>What the keys above a JSON value promise, and how far each configured path is matched (-1: off it).</summary>
internal readonly record struct SandboxJsonScope(
    SandboxKeyKind Kind, bool Address, bool NotRecipient, int ToRecords, int ToAddress, int ToMessageId, int ToBatchKey)
{
    public static SandboxJsonScope Root => default;

    /// <summary>Inside a record the paths of a record start anew, and those from the root are off.</summary>
    public static SandboxJsonScope Record => new(SandboxKeyKind.Other, false, false, -1, 0, 0, -1);

    public SandboxJsonScope Below(ReadOnlySpan<byte> key, SandboxPaths paths)
    {
        var kind = SandboxKeys.KindOf(key);
        return new(
            kind,
            Address || kind == SandboxKeyKind.Address,
            NotRecipient || kind == SandboxKeyKind.NotRecipient,
            paths.Records?.Step(ToRecords, key) ?? -1,
            paths.Address?.Step(ToAddress, key) ?? -1,
            paths.MessageId?.Step(ToMessageId, key) ?? -1,
            paths.BatchKey?.Step(ToBatchKey, key) ?? -1);
    }
}
