namespace GenericHttpEsp.Providers;

/// <summary>
/// What is stored of a provider. Property names are the format of the rows; <see cref="Name"/> and <see cref="Status"/> are index columns too. Never changed
/// in place: <see cref="ProviderChanges"/> makes the next one, and a write that fails leaves this one standing.
/// </summary>
internal sealed record ProviderState
{
    public const string Active = "active";
    public const string ArchivedStatus = "archived";
    public const string Deleted = "deleted";

    /// <summary>The nickname, unique; null when deleted, so that another may take it.</summary>
    public string? Name { get; set; }

    public string? Status { get; set; }

    public long Revision { get; set; }

    public int Version { get; set; }

    /// <summary>As it is now, without secrets.</summary>
    public ProviderContract? Contract { get; set; }

    /// <summary>Host and port of its endpoint.</summary>
    public string? Origin { get; set; }

    /// <summary>Template versions before this one, oldest first.</summary>
    public List<KeptTemplate> Older { get; set; } = [];

    /// <summary>Origin to member to sealed secret. A key for one host must never reach another, not even through a campaign that pinned an old version.</summary>
    public Dictionary<string, Dictionary<string, string>> Secrets { get; set; } = [];

    public List<ProviderPin> Pins { get; set; } = [];

    /// <summary>A campaign pinned it once.</summary>
    public bool Used { get; set; }

    /// <summary>Sealed callback tokens; the last is shown. They outlive archiving and deletion.</summary>
    public List<string> Tokens { get; set; } = [];

    /// <summary>Unix milliseconds; 0 means that there never was such a provider.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

/// <param name="Version">Its number.</param>
/// <param name="Origin">Host and port of its endpoint.</param>
/// <param name="Contract">As it was last while this version was the current one, without secrets.</param>
internal sealed record KeptTemplate(int Version, string Origin, ProviderContract Contract);

/// <param name="CampaignId">Who holds on.</param>
/// <param name="Version">To which version.</param>
internal sealed record ProviderPin(long CampaignId, int Version);
