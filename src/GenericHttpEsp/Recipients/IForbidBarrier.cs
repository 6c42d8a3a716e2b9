namespace GenericHttpEsp.Recipients;

/// <summary>
/// What stands between the commit of something that forbids sending and its acknowledgement. A claim made before the commit may still be on its way to the
/// wire, on any silo; no lock of the database can tell.
/// </summary>
internal interface IForbidBarrier
{
    /// <summary>Returns when every request that may hold an address forbidden by an already visible commit has begun or never will.</summary>
    Task WaitAsync(CancellationToken cancellationToken);
}
