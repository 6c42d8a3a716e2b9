namespace GenericHttpEsp.Recipients;

/// <summary>
/// The subscription of one recipient. Key: <see cref="RecipientKey.Hex"/>. Everything is idempotent and durable when it returns; a caller that
/// acknowledges to the outside goes through <see cref="AcknowledgedChanges"/>, which waits until no request can go out any more.
/// </summary>
[Alias("recipient")]
[GrainInterfaceType("recipient")]
internal interface IRecipientGrain : IGrainWithStringKey
{
    [Alias("get")]
    Task<SubscriptionSnapshot> Get();

    /// <summary>An act of a person: always takes effect; to subscribe ends what events before it forbade.</summary>
    [Alias("setByHand")]
    Task<SubscriptionSnapshot> SetByHand(SubscriptionStatus status, string? reason);

    /// <summary>An event that forbids; a copy of one already applied changes nothing.</summary>
    [Alias("forbid")]
    Task<SubscriptionSnapshot> Forbid(ForbidCommand command);

    /// <summary>Deletes the profile; of the subscription only stays that no mail may go.</summary>
    [Alias("erase")]
    Task<SubscriptionSnapshot> Erase();
}
