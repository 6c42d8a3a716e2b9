using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>One of the rules taken away: a simulation that does not notice is worth nothing. Known here alone.</summary>
internal class DeliberateBreak
{
    /// <summary>Changes the text of single statements.</summary>
    public virtual string Rewrite(string sql) => sql;

    public virtual IBatchLedger Over(IBatchLedger ledger) => ledger;

    public virtual IForbidBarrier Over(IForbidBarrier barrier) => barrier;
}
