using System.Data.Common;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Runs groups of writes, each in one transaction on a connection that is kept, and opened anew after anything that broke. A group that fails is repeated member by
/// member; after a commit whose answer is lost nothing is repeated here, since nobody knows whether it happened.
/// </summary>
internal sealed partial class WriterConnection(WriterWork work) : IAsyncDisposable
{
    private readonly ILogger _logger = work.Logger;
    private LedgerSession? _session;
    private long _transactions;

    public long Transactions => Interlocked.Read(ref _transactions);

    /// <summary>Never fails: those whom a failure concerns are told.</summary>
    /// <param name="first">Of the group.</param>
    /// <param name="fill">Runs it, and whatever joins it, in the transaction; adds each to the members before it runs.</param>
    public async Task RunAsync(IPendingWrite first, Func<LedgerSession, List<IPendingWrite>, Task> fill)
    {
        try
        {
            await RunGroupAsync(first, fill);
        }
        catch (Exception failure)
        {
            // Closing a broken connection failed: the lane must outlive it.
            LogLaneBroke(failure);
            first.Fail(failure);
            _session = null;
        }
    }

    public async ValueTask DisposeAsync() => await DropAsync();

    private async Task RunGroupAsync(IPendingWrite first, Func<LedgerSession, List<IPendingWrite>, Task> fill)
    {
        // Filled before anything runs: whatever throws, all whom it concerns are in here.
        var members = new List<IPendingWrite>();
        try
        {
            await RunTransactionAsync(members, session => fill(session, members));
        }
        catch (CommitUnknownException unknown)
        {
            LogCommitUnknown(unknown.InnerException!, members.Count);
            members.ForEach(member => member.Fail(unknown));
            await DropAsync();
        }
        catch (Exception failure) when (members.Count <= 1)
        {
            first.Fail(failure);
            await DropAsync();
        }
        catch (Exception failure)
        {
            LogGroupFailed(failure, members.Count);
            await DropAsync();
            foreach (var member in members)
            {
                await RunSingleAsync(member);
            }
        }
    }

    private async Task RunSingleAsync(IPendingWrite member)
    {
        try
        {
            await RunTransactionAsync([member], session => member.ExecuteAsync(session, [member]));
        }
        catch (Exception failure)
        {
            member.Fail(failure);
            await DropAsync();
        }
    }

    private async Task RunTransactionAsync(List<IPendingWrite> members, Func<LedgerSession, Task> run)
    {
        var session = _session ??= await work.Open(CancellationToken.None);
        session.BeganAt = work.Time.GetTimestamp();
        await using var transaction = await work.Begin(session, CancellationToken.None);
        session.Transaction = transaction;
        Interlocked.Increment(ref _transactions);
        await run(session);
        var committed = await work.Committing(session);
        await CommitAsync(transaction);
        committed();
        members.ForEach(static member => member.Complete());
    }

    private static async Task CommitAsync(DbTransaction transaction)
    {
        try
        {
            await transaction.CommitAsync();
        }
        catch (Exception failure)
        {
            throw new CommitUnknownException(failure);
        }
    }

    /// <summary>Never fails: members of a group still wait for what comes after.</summary>
    private async Task DropAsync()
    {
        try
        {
            await (_session?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
        catch (Exception failure)
        {
            LogLaneBroke(failure);
        }

        _session = null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Commit of {Members} writes failed; whether they happened is unknown")]
    private partial void LogCommitUnknown(Exception failure, int members);

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection of the writer broke in an unexpected way; going on with a new one")]
    private partial void LogLaneBroke(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A group of {Members} writes failed and is repeated one by one")]
    private partial void LogGroupFailed(Exception failure, int members);
}
