using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class DemoPeopleTests
{
    [Fact]
    public async Task ShippedFile_IsWhatTheMakerMakes()
    {
        using var reader = new StreamReader(DemoPeople.Open());
        Assert.Equal(DemoPeopleMaker.Make(), await reader.ReadToEndAsync());
    }

    [Fact]
    public void Addresses_AreValidAndDistinct()
    {
        var addresses = DemoPeopleMaker.Make().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => EmailAddress.Parse((string)JsonNode.Parse(line)!["email"]!, out var reason)?.Normalised ?? $"{reason} {line}").ToList();
        Assert.All(addresses, static address => Assert.Matches(@"[@.]example\.(com|org|net)$", address));
        Assert.Equal(DemoPeopleMaker.Count, addresses.Distinct().Count());
    }

    /// <summary>Run by hand after a change of the maker: <c>dotnet test --project tests/GenericHttpEsp.Tests --explicit only --filter-method "*ShippedFile_Write"</c>.</summary>
    [Fact(Explicit = true)]
    public async Task ShippedFile_Write()
    {
        await using var file = File.Create(Path.Combine(Root(), "src", "GenericHttpEsp", "Sandbox", DemoPeople.FileName));
        await using var packed = new GZipStream(file, CompressionLevel.SmallestSize);
        await packed.WriteAsync(Encoding.UTF8.GetBytes(DemoPeopleMaker.Make()));
    }

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
