namespace GenericHttpEsp.Sandbox;

/// <summary>The demo's ESP: as fast and as unreliable as a good one, and its recipients do what recipients do.</summary>
internal static class DemoSandbox
{
    public static SandboxOptions Options(int port) => new()
    {
        Port = port,
        RecordsPath = "msgs",
        AddressPath = "to",
        MessageIdPath = "mid",
        Behaviour = new SandboxBehaviour
        {
            LatencyMilliseconds = 50,
            LatencyJitterMilliseconds = 100,
            // Among the recipients is one whose name is "{{ profile.name }}": it must arrive as it is.
            RefuseLeftovers = false,
            Callbacks = new SandboxCallbackPlan
            {
                DeliveredShare = 0.99,
                HardBounceShare = 0.012,
                SoftBounceShare = 0.008,
                SpamShare = 0.001,
                UnsubscribedShare = 0.004,
                ClickedShare = 0.12,
                DelayMilliseconds = 100,
                DelayJitterMilliseconds = 400,
                DuplicateShare = 0.01,
            },
        },
    };
}
