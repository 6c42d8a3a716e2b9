using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Api;

/// <summary>Section <c>Api</c>: the first key, and what one caller may ask of the server.</summary>
internal sealed class ApiOptions
{
    public const string Section = "Api";

    /// <summary>The first administrator's key. Unset: one is made at the first start and printed once.</summary>
    [StringLength(ApiKeyFormat.LengthMax, MinimumLength = ApiKeyFormat.LengthMin)]
    public string? BootstrapKey { get; set; }

    /// <summary>Request bodies, unless a route says otherwise.</summary>
    [Range(1024, 1L << 30)]
    public long BodyBytesMax { get; set; } = 1 << 20;

    /// <summary>All headers of a request together.</summary>
    [Range(1024, 1 << 20)]
    public int HeaderBytesMax { get; set; } = 16 * 1024;

    [Range(8, 1000)]
    public int HeadersMax { get; set; } = 64;

    /// <summary>Request line; longer ones hold no URL of ours.</summary>
    [Range(1024, 1 << 16)]
    public int RequestLineBytesMax { get; set; } = 8 * 1024;

    /// <summary>Time for a request's head: against connections that send one byte a second.</summary>
    [Range(1, 300)]
    public int HeadersTimeoutSeconds { get; set; } = 10;

    [Range(1, 3600)]
    public int KeepAliveSeconds { get; set; } = 130;

    /// <summary>Bytes a second below which a request's body or a reader of an answer is dropped, after <see cref="DataRateGraceSeconds"/>.</summary>
    [Range(1, 1 << 20)]
    public int DataRateMin { get; set; } = 240;

    /// <summary>Kestrel takes nothing shorter: it looks once a second.</summary>
    [Range(2, 300)]
    public int DataRateGraceSeconds { get; set; } = 5;

    /// <summary>Open connections; more are closed at once.</summary>
    [Range(10, 1_000_000)]
    public int ConnectionsMax { get; set; } = 10_000;
}
