namespace GenericHttpEsp.Providers;

/// <summary>Sends one test request through the same guarded client as campaigns. Implemented where the client lives.</summary>
internal interface ITestSender
{
    Task<TestAnswer> SendAsync(AssembledRequest request, CancellationToken cancellationToken);
}

/// <param name="Sent">Whether the whole request was handed over.</param>
/// <param name="Status">Of the answer; null when none came.</param>
/// <param name="Answer">The beginning of the answer's body as text.</param>
/// <param name="Took">From the first byte to the answer, or to giving up.</param>
/// <param name="Failure">Why there is no answer.</param>
internal sealed record TestAnswer(bool Sent, int? Status, string? Answer, TimeSpan Took, string? Failure);
