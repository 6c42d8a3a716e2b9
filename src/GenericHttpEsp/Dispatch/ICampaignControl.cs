namespace GenericHttpEsp.Dispatch;

/// <summary>Whoever must hear that sending cannot go on. Both answer when no further request begins.</summary>
internal interface ICampaignControl
{
    /// <summary>Nearly everybody is refused: going on would burn the audience.</summary>
    Task PauseCampaignAsync(long campaignId, string reason);

    /// <summary>The ESP refuses us, not the records: every campaign of the provider waits for a person.</summary>
    Task PauseProviderAsync(long providerId, string reason);
}
