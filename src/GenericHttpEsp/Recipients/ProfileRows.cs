namespace GenericHttpEsp.Recipients;

/// <summary>A profile for rendering: what a page of a partition holds.</summary>
internal readonly record struct ProfileRow(long Id, byte[] Key, string Email, byte[] AttributesUtf8, string? TimeZone);

/// <summary>A profile with its lists and the committed subscription.</summary>
internal sealed record Profile(ProfileRow Row, IReadOnlyList<string> Lists, SubscriptionSnapshot Subscription);

/// <summary>One row of an upsert.</summary>
/// <param name="Key">Key of the address.</param>
/// <param name="Email">As given; replaces the form stored.</param>
/// <param name="Attributes">Merged by name into what is stored; null removes.</param>
/// <param name="TimeZone">Empty removes, null leaves.</param>
/// <param name="Lists">Lists to be on, made when unknown; null leaves.</param>
internal sealed record ProfileUpsert(byte[] Key, string Email, string Attributes, string? TimeZone, IReadOnlyList<string>? Lists);

/// <summary>What became of a row.</summary>
internal enum UpsertOutcome
{
    Inserted,
    Updated,

    /// <summary>Stored and new attributes together are too large; nothing changed.</summary>
    TooLarge,
}
