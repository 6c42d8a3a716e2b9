using System.Data.Common;

namespace GenericHttpEsp.Storage;

/// <summary>What the writer's lanes need of the database.</summary>
/// <param name="Open">A connection that is fit for writing.</param>
/// <param name="Begin">A transaction on it.</param>
/// <param name="Committing">Right before a commit, in its transaction. The answer runs when it is durable.</param>
internal sealed record WriterWork(
    Func<CancellationToken, Task<LedgerSession>> Open,
    Func<LedgerSession, CancellationToken, Task<DbTransaction>> Begin,
    Func<LedgerSession, Task<Action>> Committing,
    StorageOptions Options,
    TimeProvider Time,
    ILogger Logger);
