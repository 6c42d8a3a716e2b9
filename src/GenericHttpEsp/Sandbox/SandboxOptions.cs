using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Sandbox;

/// <summary>Settings of the stand-in ESP, section <c>Sandbox</c>. What it answers is <see cref="SandboxBehaviour"/> and may change while it runs.</summary>
public sealed class SandboxOptions
{
    public const string Section = "Sandbox";

    /// <summary>Loopback by default: it accepts anything from anyone. A container sets <c>0.0.0.0</c>.</summary>
    [Required]
    public string ListenAddress { get; set; } = "127.0.0.1";

    /// <summary>0 takes a free port, so that tests run side by side.</summary>
    [Range(0, 65535)]
    public int Port { get; set; }

    /// <summary>Above the 52 MB that the most generous ESP takes in a call; also bounds what a gzip body may grow to.</summary>
    [Range(1, 1L << 30)]
    public long BodyBytesMax { get; set; } = 64L << 20;

    /// <summary>Open connections; one more is refused by Kestrel.</summary>
    [Range(1, 100_000)]
    public int ConnectionsMax { get; set; } = 4096;

    /// <summary>Where the records stand, e.g. <c>msgs</c>; <c>$</c> is the root. Unset: guessed.</summary>
    [RegularExpression(SandboxPath.Pattern)]
    public string? RecordsPath { get; set; }

    /// <summary>Where the address stands in a record, e.g. <c>To.Email</c> (arrays are looked through, the first hit counts). Unset: guessed.</summary>
    [RegularExpression(SandboxPath.Pattern)]
    public string? AddressPath { get; set; }

    /// <summary>Where the message id stands in a record. Unset: guessed.</summary>
    [RegularExpression(SandboxPath.Pattern)]
    public string? MessageIdPath { get; set; }

    /// <summary>The header that names a batch; logged, and honoured when the behaviour says so.</summary>
    public string BatchKeyHeader { get; set; } = "Idempotency-Key";

    /// <summary>The same inside a JSON body, e.g. <c>headers.idempotencyKey</c> as at Brevo.</summary>
    [RegularExpression(SandboxPath.Pattern)]
    public string? BatchKeyPath { get; set; }

    /// <summary>Batch keys remembered; the oldest is forgotten first.</summary>
    [Range(1, 10_000_000)]
    public int BatchKeysMax { get; set; } = 100_000;

    /// <summary>NDJSON file that outlives the sender under test. Unset: memory only.</summary>
    public string? LogPath { get; set; }

    /// <summary>An answer leaves only after its <c>end</c> entry is in the file (with <see cref="LogPath"/>).</summary>
    public bool FlushBeforeAnswer { get; set; } = true;

    /// <summary>Entries kept in memory; older ones are read from the file, or are gone (the summary counts them).</summary>
    [Range(16, 10_000_000)]
    public int LogEntriesMax { get; set; } = 131_072;

    /// <summary>Records in the kept entries: an entry of 1000 records holds 200 KB.</summary>
    [Range(1000, 100_000_000)]
    public int LogRecordsMax { get; set; } = 2_000_000;

    /// <summary>False only counts (benchmarks): no address is kept and nothing is known of repetitions.</summary>
    public bool KeepAddresses { get; set; } = true;

    /// <summary>Distinct addresses and message ids followed to see repetitions; further ones are counted as not followed.</summary>
    [Range(1, 100_000_000)]
    public int TrackedMax { get; set; } = 2_000_000;

    /// <summary>Repeated addresses and problems listed in a summary; the totals are always whole.</summary>
    [Range(1, 100_000)]
    public int SummaryListMax { get; set; } = 100;

    /// <summary>The last requests kept whole, for comparing bytes. 0 for benchmarks.</summary>
    [Range(0, 10_000)]
    public int KeepBodies { get; set; } = 20;

    /// <summary>A longer body is not kept.</summary>
    [Range(1, 1 << 30)]
    public int KeepBodyBytesMax { get; set; } = 16 << 20;

    /// <summary>Events waiting to be posted; further ones are dropped and counted, as an ESP does.</summary>
    [Range(1, 100_000_000)]
    public int CallbackQueueMax { get; set; } = 1_000_000;

    /// <summary>Callback bodies under way at once.</summary>
    [Range(1, 64)]
    public int CallbackSenders { get; set; } = 2;

    /// <summary>A callback that has no answer by then counts as failed to connect.</summary>
    [Range(1, 600)]
    public int CallbackTimeoutSeconds { get; set; } = 30;

    /// <summary>First wait after a refused or lost callback; doubles each time.</summary>
    [Range(1, 600_000)]
    public int CallbackBackoffMilliseconds { get; set; } = 100;

    /// <summary>Longest wait between two attempts; also caps <c>Retry-After</c>.</summary>
    [Range(1, 3_600_000)]
    public int CallbackBackoffMaxMilliseconds { get; set; } = 5_000;

    /// <summary>Then the events count as failed.</summary>
    [Range(1, 1_000_000)]
    public int CallbackAttemptsMax { get; set; } = 100;

    /// <summary>The same seed and the same order of requests give the same run.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>The behaviour at the start.</summary>
    [Required]
    public SandboxBehaviour Behaviour { get; set; } = new();
}
