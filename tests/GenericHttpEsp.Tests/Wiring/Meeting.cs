using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>Waits for silos that start one after the other.</summary>
internal static class Meeting
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Until it sees so many members.</summary>
    public static async Task ActiveAsync(TestApplication application, int silos)
    {
        var membership = application.Services.GetRequiredService<IClusterMembershipService>();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Patience);
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(timeout.Token))
        {
            if (snapshot.Members.Values.Count(static member => member.Status == SiloStatus.Active) == silos)
            {
                return;
            }
        }
    }

    /// <summary>A silo places grains at those others only of which it knows what they can host, and that it asks after it hears of them.</summary>
    public static async Task PlacingAsync(TestApplication application, int silos)
    {
        await ActiveAsync(application, silos);
        var manifests = application.Services.GetRequiredService<IClusterManifestProvider>();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Patience);
        await foreach (var manifest in manifests.Updates.WithCancellation(timeout.Token))
        {
            if (manifest.Silos.Count == silos)
            {
                return;
            }
        }
    }
}
