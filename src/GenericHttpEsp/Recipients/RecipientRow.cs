namespace GenericHttpEsp.Recipients;

/// <summary>What a caller says about one recipient: a line of an import or the body of a PUT, checked.</summary>
/// <param name="Email">The address.</param>
/// <param name="Attributes">Compact JSON object; null members remove.</param>
/// <param name="Lists">Names of lists; null when nothing was said about lists.</param>
/// <param name="TimeZone">IANA name; empty removes, null says nothing.</param>
internal sealed record RecipientRow(EmailAddress Email, string Attributes, IReadOnlyList<string>? Lists, string? TimeZone);

/// <summary>What is wrong with a row, and where (JSON pointer).</summary>
internal sealed record RowError(string Pointer, string Message);
