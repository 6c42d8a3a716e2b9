namespace GenericHttpEsp.Tests.Api;

/// <summary>Tests that share the hostile benches; each of them leaves them standing.</summary>
[CollectionDefinition(nameof(Hostile))]
public sealed class Hostile : ICollectionFixture<HostileBenches>;

internal static class HostileNotes
{
    /// <summary>Keeps what is wrong, if something is: a test tells all of it at once.</summary>
    public static void Note(this List<string> failures, string what, string? wrong)
    {
        if (wrong is not null)
        {
            failures.Add($"{what}: {wrong}");
        }
    }
}
