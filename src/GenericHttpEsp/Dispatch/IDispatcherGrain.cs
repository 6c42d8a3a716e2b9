namespace GenericHttpEsp.Dispatch;

/// <summary>What became of an offered page.</summary>
public enum PageReceipt
{
    /// <summary>Taken; the buffer is the dispatcher's now.</summary>
    Taken = 0,

    /// <summary>No room within the waiting time; offer it again.</summary>
    Full = 1,

    /// <summary>Another activation owns the partition, or the campaign is paused or stopped: what was rendered is worth nothing.</summary>
    Fenced = 2,

    /// <summary>Claims cannot be recorded now: wait, then begin again under a new epoch.</summary>
    Broken = 3,
}

/// <summary>Sends for one provider on one lane: packs offered records into requests, claims, calls the ESP, writes the outcome. Key: provider id and lane.</summary>
[Alias("ghe.IDispatcherGrain"), GrainInterfaceType("ghe.IDispatcherGrain")]
public interface IDispatcherGrain : IGrainWithIntegerCompoundKey
{
    /// <summary>Takes a page of rendered records. The answer is the credit for the next one; it comes within 10 seconds.</summary>
    [Alias("Offer"), ResponseTimeout("00:00:30")]
    Task<PageReceipt> OfferAsync(RecordPage page);

    /// <summary>
    /// Whether what was taken under this epoch is still being worked on: taken; or fenced or broken when it is not, as after the end of the silo that took it.
    /// </summary>
    [Alias("Probe")]
    Task<PageReceipt> ProbeAsync(long partitionId, long epoch);

    /// <summary>Forgets what is buffered for a partition under this or an older epoch. What is on the wire goes on.</summary>
    [Alias("Drop")]
    Task DropAsync(long partitionId, long epoch);
}
