namespace GenericHttpEsp.Content;

/// <summary>
/// One rendering for somebody of whom nothing is known, under the limits of a run: what is endless or explodes for everybody is found before it is saved or
/// started, not in the middle of a campaign. Other failures are left to the run: they may be the sample's (a missing attribute).
/// </summary>
internal static class SampleRender
{
    private const string Link = "https://example.com/u/sample";

    // A machine that stands still for a moment must not refuse anybody's text; each time has two deadlines of its own.
    private const int TriesMax = 3;
    private static readonly RenderScope Scope = new(DateTimeOffset.UnixEpoch, static _ => Link, static _ => Link);

    /// <returns>The limit that was passed; null when none was.</returns>
    public static RenderFailure? Check(LiquidTemplate text) => text.IsStatic
        ? null
        : Check((recipient, scratch, output) => text.Render(recipient, Scope, ValuePlace.JsonString, singleLine: false, scratch, output));

    /// <param name="render">Renders for this recipient, at the end of the buffer.</param>
    public static RenderFailure? Check(Func<RecipientModel, RenderScratch, Utf8Buffer, RenderFailure?> render)
    {
        for (var tries = 1; ; tries++)
        {
            var failure = RenderOnce(render);
            if (failure is not { Reason: RenderFailureReason.Deadline } || tries == TriesMax)
            {
                return failure is { Reason: RenderFailureReason.TooLarge or RenderFailureReason.TooManySteps or RenderFailureReason.TooManyItems or RenderFailureReason.Deadline }
                    ? failure
                    : null;
            }
        }
    }

    private static RenderFailure? RenderOnce(Func<RecipientModel, RenderScratch, Utf8Buffer, RenderFailure?> render)
    {
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        output.BeginRecord();
        try
        {
            return render(RecipientModel.FromJson(1, "sample@example.com", default), scratch, output);
        }
        catch (RenderLimitException limit)
        {
            return new(limit.Reason, limit.Message);
        }
    }
}
