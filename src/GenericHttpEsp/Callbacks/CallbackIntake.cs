using GenericHttpEsp.Content;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Callbacks;

/// <summary>
/// One body's way: judge, change recipients, then events and counters in one transaction. Recipients first, so that a body that failed half-way has at
/// most forbidden what it says; every step may be repeated, so the ESP repeats the whole body.
/// </summary>
internal sealed class CallbackIntake(
    LedgerDatabase database, InstallationKeys installation, MetaKeyRing ring, RecipientKey keys, AcknowledgedChanges changes, QuarantineStore quarantine,
    EventWriter writer)
{
    /// <summary>Returns when everything that is not in the answer's list is durable, and no request can go to whoever left.</summary>
    /// <param name="believe">Take unsigned metas for true.</param>
    /// <returns>One verdict an event, in their order.</returns>
    public async Task<IReadOnlyList<Verdict>> TakeAsync(IReadOnlyList<CallbackEvent> events, long providerId, bool believe, CancellationToken cancellationToken)
    {
        var judged = events.Select(source => CallbackRules.Judge(source, ring, installation.AccountId)).ToArray();
        var facts = await FactsAsync([.. judged.Where(static one => one.Event is not null).Select(static one => one.Event!)], providerId, believe, cancellationToken);
        Verdict[] verdicts =
        [
            .. judged.Select(one => one.Event is { } known ? CallbackRules.Decide(known, facts, believe, providerId) : Verdict.Refuse(one.Error!)),
        ];
        await changes.ForbidAsync(Changes(verdicts), cancellationToken);
        FailPoints.Pass(FailPoints.BeforeEvents);
        await writer.WriteAsync(
            new EventWrite(
                [.. verdicts.Where(static verdict => verdict.Row is not null).Select(static verdict => verdict.Row!)],
                [.. verdicts.Where(static verdict => verdict.IsQuarantined).Select(verdict => quarantine.Seal(providerId, verdict.Event!.Source))]),
            cancellationToken);
        FailPoints.Pass(FailPoints.AfterEventsCommit);
        return verdicts;
    }

    public static CallbackAnswer Answer(IReadOnlyList<CallbackEvent> events, IReadOnlyList<Verdict> verdicts)
    {
        UnprocessedEvent[] unprocessed =
        [
            .. events.Zip(verdicts).Where(static pair => pair.Second.Error is not null).Select(static pair => UnprocessedEvent.Of(pair.First, pair.Second.Error!)),
        ];
        return new CallbackAnswer(events.Count, events.Count - unprocessed.Length, unprocessed);
    }

    private async Task<CallbackFacts> FactsAsync(IReadOnlyList<JudgedEvent> events, long providerId, bool believe, CancellationToken cancellationToken)
    {
        if (!events.Any(static one => one.Proof != MessageProof.SignedMeta))
        {
            return new CallbackFacts(keys);
        }

        return await database.ReadAsync(
            async session =>
            {
                var facts = new CallbackFacts(keys);
                await facts.ReadAsync(session, events, believe, providerId);
                return facts;
            },
            cancellationToken);
    }

    /// <summary>Copies within the body are one change.</summary>
    private static List<(byte[] Key, ForbidCommand Command)> Changes(IReadOnlyList<Verdict> verdicts) =>
    [
        .. verdicts.Where(static verdict => verdict.Key is not null)
            .Select(static verdict => (
                verdict.Key!,
                new ForbidCommand(CallbackRules.CauseOf(verdict.Event!.Type), verdict.Event.MessageKey, verdict.Event.Source.Timestamp)))
            .DistinctBy(static change => (SubscriptionStore.Number(change.Item1), change.Item2)),
    ];
}
