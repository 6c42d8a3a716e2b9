using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class SubscriptionRulesTests
{
    private const long Now = 1_800_000_000_000;

    [Theory]
    [InlineData(ForbidCause.HardBounce, "hard_bounce")]
    [InlineData(ForbidCause.Unsubscribed, "unsubscribed")]
    [InlineData(ForbidCause.Spam, "spam")]
    public void Forbid_OfASubscriber_Unsubscribes(ForbidCause cause, string reason)
    {
        var state = new SubscriptionState();
        SubscriptionRules.Forbid(state, new ForbidCommand(cause, "m1", 1_700_000_000), Now);

        Assert.Equal(
            new SubscriptionSnapshot(SubscriptionStatus.Unsubscribed, reason, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)), SubscriptionRules.Snapshot(state));
    }

    [Fact]
    public void Forbid_WithoutTimeOrInTheFuture_IsSinceNow()
    {
        foreach (var timestamp in (long?[])[null, 0, -5, long.MaxValue])
        {
            var state = new SubscriptionState();
            SubscriptionRules.Forbid(state, new ForbidCommand(ForbidCause.Spam, "m", timestamp), Now);
            Assert.Equal(Now, state.Since);
        }
    }

    [Fact]
    public void CopyOfAnEvent_AfterThePersonCameBack_ChangesNothing()
    {
        var state = new SubscriptionState();
        var bounce = new ForbidCommand(ForbidCause.HardBounce, "m", 1_700_000_000);
        SubscriptionRules.Forbid(state, bounce, Now);
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Subscribed, "asked", Now + 1);

        SubscriptionRules.Forbid(state, bounce, Now + 2);
        SubscriptionRules.Forbid(state, bounce with { TimestampSeconds = null }, Now + 2);

        Assert.Equal(SubscriptionStatus.Subscribed, state.Status);
    }

    [Theory]
    [InlineData("m", 1_700_000_001L)]
    [InlineData("other", 1_600_000_000L)]
    [InlineData("other", null)]
    public void NewEvent_AfterThePersonCameBack_ForbidsAgain(string message, long? timestamp)
    {
        var state = new SubscriptionState();
        SubscriptionRules.Forbid(state, new ForbidCommand(ForbidCause.HardBounce, "m", 1_700_000_000), Now);
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Subscribed, null, Now + 1);

        SubscriptionRules.Forbid(state, new ForbidCommand(ForbidCause.HardBounce, message, timestamp), Now + 2);

        Assert.Equal(SubscriptionStatus.Unsubscribed, state.Status);
        Assert.InRange(state.Since!.Value, Now + 1, Now + 2);
    }

    [Fact]
    public void ReasonByHand_OfALaterAct_Replaces_ButNeverAStrongerOne()
    {
        var state = new SubscriptionState();
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Unsubscribed, "by phone", Now);
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Unsubscribed, "by letter", Now + 1);
        Assert.Equal("by letter", state.Reason);

        SubscriptionRules.SetByHand(state, SubscriptionStatus.Unsubscribed, "spam", Now + 2);
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Unsubscribed, "by phone", Now + 3);
        Assert.Equal(("spam", Now), (state.Reason, state.Since));
    }

    [Fact]
    public void Erase_KeepsOnlyThatNoMailMayGo()
    {
        var subscriber = new SubscriptionState();
        Assert.False(SubscriptionRules.Erase(subscriber));

        SubscriptionRules.SetByHand(subscriber, SubscriptionStatus.Unsubscribed, "Ann Example phoned", Now);
        Assert.True(SubscriptionRules.Erase(subscriber));
        Assert.Equal(SubscriptionRules.ByHand, subscriber.Reason);
    }

    [Fact]
    public void Applied_NeverGrowsBeyondItsBound_AndKeepsTheNewest()
    {
        var state = new SubscriptionState();
        for (var i = 1; i <= 1000; i++)
        {
            SubscriptionRules.Forbid(state, new ForbidCommand(ForbidCause.Spam, $"m{i}", i), Now);
        }

        Assert.Equal(SubscriptionRules.AppliedMax, state.Applied.Count);
        Assert.Contains("spam:m1000", state.Applied);
    }

    [Property]
    public Property Events_InAnyOrderWithCopies_EndAlike() => Prop.ForAll(Events().ListOf().ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (events, seed) =>
    {
        var shuffled = events.Concat(events).ToArray();
        new Random(seed).Shuffle(shuffled);
        var (one, other) = (After(events), After(shuffled));
        return SubscriptionRules.Snapshot(one) == SubscriptionRules.Snapshot(other)
            && one.Applied.OrderBy(pair => pair.Key).SequenceEqual(other.Applied.OrderBy(pair => pair.Key));
    });

    [Property]
    public Property Forbidding_WinsUntilAPersonActs() => Prop.ForAll(Events().NonEmptyListOf().ToArbitrary(), events =>
        After(events).Status == SubscriptionStatus.Unsubscribed);

    private static SubscriptionState After(IEnumerable<ForbidCommand> events)
    {
        var state = new SubscriptionState();
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Unsubscribed, null, 1_000_000);
        SubscriptionRules.SetByHand(state, SubscriptionStatus.Subscribed, null, 1_000_000);
        foreach (var command in events)
        {
            SubscriptionRules.Forbid(state, command, Now);
        }

        return state;
    }

    // One event has one time; some lie before the moment the person came back.
    private static Gen<ForbidCommand> Events() =>
        from cause in Gen.Elements(ForbidCause.HardBounce, ForbidCause.Unsubscribed, ForbidCause.Spam)
        from message in Gen.Choose(1, 4)
        select new ForbidCommand(cause, $"m{message}", 900 + (37 * message) + (11 * (int)cause));
}
