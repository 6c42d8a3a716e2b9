using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Wiring;

/// <summary>Section <c>Cluster</c>.</summary>
internal sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>One per deployment: silos with the same id find each other.</summary>
    [Required]
    public string ClusterId { get; set; } = "dev";

    /// <summary>Part of every stored grain state's key: never change it.</summary>
    [Required]
    public string ServiceId { get; set; } = "generic-http-esp";

    /// <summary>Port between silos. Unset: 11111 in a cluster; a free one in the embedded mode, where nobody else connects.</summary>
    [Range(1, 65535)]
    public int? SiloPort { get; set; }

    /// <summary>Port for Orleans clients. Unset: 30000 in a cluster; none in the embedded mode.</summary>
    [Range(1, 65535)]
    public int? GatewayPort { get; set; }

    /// <summary>IP address at which the other silos reach this one.</summary>
    public string AdvertisedAddress { get; set; } = "127.0.0.1";

    /// <summary>
    /// Between two probes of another silo. Three missed in a row, seen by two silos, declare it dead, and the others take its work over. Less finds a dead
    /// machine sooner and takes a starved one for dead sooner.
    /// </summary>
    [Range(1, 60)]
    public int ProbeSeconds { get; set; } = 5;

    /// <summary>
    /// Between two renewals of a silo's row in the database, and two looks at the others'. A silo that starts waits for all that stand there as alive; one
    /// that missed three renewals it may probe and declare dead: after a power cut nobody waits long for addresses that never come back. One that renews
    /// nothing for five of them, and at least 20 s, is declared dead although it answers: it is cut from the database.
    /// </summary>
    [Range(1, 60)]
    public int RenewalSeconds { get; set; } = 3;

    /// <summary>A grain call without an answer after this long has an unknown end.</summary>
    [Range(1, 600)]
    public int ResponseTimeoutSeconds { get; set; } = 30;

    /// <summary>Calls that may wait for one grain; more are refused, where Orleans' own default is no limit.</summary>
    [Range(10, 1_000_000)]
    public int WaitingCallsMax { get; set; } = 10_000;

    /// <summary>Time to finish what is under way after SIGTERM. The orchestrator's grace period must be longer.</summary>
    [Range(1, 3600)]
    public int ShutdownSeconds { get; set; } = 60;
}

/// <summary>Section <c>Account</c>.</summary>
internal sealed class AccountOptions
{
    public const string Section = "Account";

    /// <summary>Field 2 of the meta. Unset: made at the first start.</summary>
    [Range(1, (1L << 53) - 1)]
    public long? Id { get; set; }
}
