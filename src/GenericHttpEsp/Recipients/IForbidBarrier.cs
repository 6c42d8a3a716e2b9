namespace GenericHttpEsp.Recipients;

/// <summary>
/// Waits until every request that could still contain an address has begun or can no longer begin. Called after the commit of a change that forbids
/// sending and before it is acknowledged.
/// </summary>
internal interface IForbidBarrier
{
    Task WaitAsync(CancellationToken cancellationToken);
}
