namespace GenericHttpEsp.Sandbox;

/// <summary>Draws which events follow a message, and when; by seed, request and record, so the same run draws the same.</summary>
internal sealed class SandboxCallbackDraws(SandboxCallbackPlan plan, int seed, long request)
{
    public IEnumerable<string> Types(int record, string address)
    {
        if (plan.Scripted.TryGetValue(address, out var scripted))
        {
            return scripted;
        }

        var bounce = Draw(record, SandboxChance.Bounce);
        return bounce < plan.HardBounceShare ? ["hard_bounce"]
            : bounce < plan.HardBounceShare + plan.SoftBounceShare ? ["soft_bounce"]
            : Arrived(record);
    }

    public TimeSpan Delay(int record, int which) => TimeSpan.FromMilliseconds(
        plan.DelayMilliseconds + (plan.DelayJitterMilliseconds * Draw((record << 4) | which, SandboxChance.Delay)));

    public bool IsTwice(int record, int which) => Draw((record << 4) | which, SandboxChance.Duplicate) < plan.DuplicateShare;

    private IEnumerable<string> Arrived(int record)
    {
        (int What, double Share, string Type)[] events =
        [
            (SandboxChance.Delivered, plan.DeliveredShare, "delivered"),
            (SandboxChance.Clicked, plan.ClickedShare, "clicked"),
            (SandboxChance.Spam, plan.SpamShare, "spam"),
            (SandboxChance.Unsubscribed, plan.UnsubscribedShare, "unsubscribed"),
        ];
        return events.Where(one => Draw(record, one.What) < one.Share).Select(one => one.Type);
    }

    private double Draw(int record, int what) => SandboxChance.Draw(seed, request, record, what);
}
