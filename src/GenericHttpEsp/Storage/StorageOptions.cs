using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Storage;

/// <summary>Section <c>Storage</c>, and <c>ConnectionStrings:Postgres</c> beside it.</summary>
internal sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>Folder of the embedded databases and the generated keys.</summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>A longer transaction would hold the acknowledgement of an unsubscribe back.</summary>
    [Range(1, 1000)]
    public int TransactionMilliseconds { get; set; } = 20;

    /// <summary>Rows after which a transaction ends; bounds what one failure repeats.</summary>
    [Range(1, 100_000)]
    public int TransactionRowsMax { get; set; } = 2000;

    /// <summary>Writes that may wait for the writer, for each kind; more callers wait at the door.</summary>
    [Range(16, 1_000_000)]
    public int PendingWritesMax { get; set; } = 4096;

    /// <summary>Connections for reads.</summary>
    [Range(1, 200)]
    public int ReadersMax { get; set; } = 8;

    /// <summary>Concurrent writing transactions; SQLite always has one.</summary>
    [Range(1, 64)]
    public int WritersMax { get; set; } = 4;

    /// <summary>
    /// PostgreSQL: a standby that takes over has everything that was committed (all candidates are synchronous). Else campaigns pause at a failover, since
    /// forgotten claims would be sent again.
    /// </summary>
    public bool TrustsFailover { get; set; }
}

/// <summary>Section <c>Secrets</c>.</summary>
internal sealed class SecretsOptions
{
    public const string Section = "Secrets";

    /// <summary>File with the key that wraps all others; made at the first start. Unset: <c>secret.key</c> in the data directory.</summary>
    public string? KeyFile { get; set; }
}
