namespace GenericHttpEsp.Storage;

/// <summary>The engine below the stores.</summary>
internal enum StorageEngine
{
    /// <summary>One process, two files.</summary>
    Sqlite,

    /// <summary>A cluster of silos on one database.</summary>
    PostgreSql,
}

/// <summary>What a write is for. The writer takes them in this order, so that a flood of imports never delays an outcome or an unsubscribe.</summary>
internal enum WriteKind
{
    Outcome,
    Forbid,
    Claim,
    Event,
    Import,
}
