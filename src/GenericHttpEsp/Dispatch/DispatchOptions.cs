using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Dispatch;

/// <summary>Section <c>Dispatch</c>.</summary>
internal sealed class DispatchOptions
{
    public const string Section = "Dispatch";

    /// <summary>How long a claim is good for; an unsubscribe is acknowledged 1.1 of these after its commit. Must be equal on all silos.</summary>
    [Range(50, 10_000)]
    public int SendWindowMilliseconds { get; set; } = 500;

    /// <summary>From the start of a request to the last byte of its answer.</summary>
    [Range(1, 300)]
    public int AttemptTimeoutSeconds { get; set; } = 25;

    /// <summary>Look-up, TCP and TLS together.</summary>
    [Range(1, 60)]
    public int ConnectTimeoutSeconds { get; set; } = 5;

    /// <summary>
    /// What endpoints may reach outside the public internet: <c>10.1.0.0/16</c>, <c>127.0.0.1:5080</c>, <c>esp.internal</c>, <c>esp.internal:8443</c>.
    /// An entry without a port opens every port.
    /// </summary>
    [MaxLength(200)]
    public string[] AllowedNetworks { get; set; } = [];

    /// <summary>Requests on the wire from one silo; bounds sockets and what a kill can make unknown.</summary>
    [Range(1, 10_000)]
    public int RequestsInFlightMax { get; set; } = 512;

    /// <summary>Records on the wire from one silo: at most these are unknown after a kill.</summary>
    [Range(1000, 1_000_000)]
    public int RecordsInFlightMax { get; set; } = 4000;

    /// <summary>An answer is read up to here; the rest is dropped with the connection.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int AnswerBytesMax { get; set; } = 1024 * 1024;

    /// <summary>Heads of answers larger than this count as no answer.</summary>
    [Range(4, 1024)]
    public int AnswerHeadersKilobytesMax { get; set; } = 16;

    /// <summary>Kept connections are renewed after this, so that a changed DNS entry is followed.</summary>
    [Range(10, 3600)]
    public int ConnectionLifetimeSeconds { get; set; } = 180;

    /// <summary>Failures in a row, over the cluster, after which a provider is left alone. Equal on all silos.</summary>
    [Range(2, 10)]
    public int BreakerFailures { get; set; } = 8;

    /// <summary>While the breaker is open one probe goes out in this time.</summary>
    [Range(1, 300)]
    public int BreakerPauseSeconds { get; set; } = 5;

    public TimeSpan SendWindow => TimeSpan.FromMilliseconds(SendWindowMilliseconds);

    /// <summary>From a flushed head to its arrival at the ESP, as far as an acknowledgement waits for it: a tenth of the window, as in a cluster.</summary>
    public TimeSpan OnTheWay => SendWindow / 10;

    public TimeSpan AttemptTimeout => TimeSpan.FromSeconds(AttemptTimeoutSeconds);

    /// <summary>From the claim until nothing works on the attempt any more: claimed rows without outcome are unknown after it, slots of a lost silo free.</summary>
    public TimeSpan AttemptMax => SendWindow + AttemptTimeout + TimeSpan.FromSeconds(4);

    public TimeSpan BreakerPause => TimeSpan.FromSeconds(BreakerPauseSeconds);

    public TimeSpan ConnectTimeout => TimeSpan.FromSeconds(ConnectTimeoutSeconds);
}
