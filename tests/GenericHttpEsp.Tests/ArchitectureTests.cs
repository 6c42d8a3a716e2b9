using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ArchUnitNET.Loader;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests;

/// <summary>Which folder may use which, and what nothing may be called.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Lazy<IReadOnlyList<FolderUse>> Uses = new(() => Load(typeof(LedgerDatabase).Assembly));

    [Fact]
    public void Folders_UseOnlyWhatTheTableAllows() => Assert.Empty(FolderTable.Violations(Uses.Value, FolderTable.Allowed));

    [Fact]
    public void Table_HasNoCycle() => Assert.Empty(FolderTable.Cycles(FolderTable.Allowed));

    [Fact]
    public void Checker_WithAnEdgeTakenOutOfTheTable_FindsTheUse()
    {
        var table = FolderTable.Allowed.ToDictionary(static row => row.Key, static row => row.Value);
        table["Api"] = [];
        Assert.Contains(
            FolderTable.Violations(Uses.Value, table),
            static found => found.StartsWith("Api -> Storage: GenericHttpEsp.Api.ApiKeyStore uses", StringComparison.Ordinal));
    }

    /// <summary>The compiler moves such bodies to types of its own; most of our code stands in them.</summary>
    [Fact]
    public void Loader_OfAnAsyncBody_CountsItForItsType() =>
        Assert.Contains(Uses.Value, static use => use is { Type: "GenericHttpEsp.Wiring.ServeProgram", Used: "GenericHttpEsp.Api.ServerAddresses" });

    [Fact]
    public void Checker_WithAFolderTheTableDoesNotKnow_FindsIt()
    {
        var table = FolderTable.Allowed.Where(static row => row.Key != "Api").ToDictionary(static row => row.Key, static row => row.Value);
        Assert.Contains(FolderTable.Violations(Uses.Value, table), static found => found.StartsWith("Api ", StringComparison.Ordinal));
    }

    [Fact]
    public void Checker_WithAnEdgeBack_FindsTheCycle()
    {
        var table = FolderTable.Allowed.ToDictionary(static row => row.Key, static row => row.Value);
        table["Storage"] = ["Campaigns"];
        Assert.NotEmpty(FolderTable.Cycles(table));
    }

    [Fact]
    public void Names_OfTypesAndFiles_SayWhatTheyAre()
    {
        var types = typeof(LedgerDatabase).Assembly.GetTypes()
            .Where(static type => type.Namespace?.StartsWith("GenericHttpEsp", StringComparison.Ordinal) == true && type.Name[0] != '<')
            .Select(static type => type.Name);
        var files = Directory.EnumerateFiles(Path.Combine(Root(), "src", "GenericHttpEsp"), "*", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Select(static file => Path.GetFileNameWithoutExtension(file));
        Assert.Empty(types.Concat(files).Where(static name => Empty().IsMatch(name)).Distinct());
    }

    [Theory]
    [InlineData("CampaignService", true)]
    [InlineData("StringUtils", true)]
    [InlineData("CommonTypes", true)]
    [InlineData("ServicesSetup", true)]
    [InlineData("Serviceable", false)]
    [InlineData("CommitUnknownException", false)]
    public void Name_OfNothing_IsRecognised(string name, bool isEmpty) => Assert.Equal(isEmpty, Empty().IsMatch(name));

    private static List<FolderUse> Load(Assembly assembly)
    {
        var architecture = new ArchLoader().LoadAssemblies(assembly).Build();
        return [.. architecture.Types
            .SelectMany(static type => type.Dependencies.Select(use => new FolderUse(
                FolderTable.FolderOf(type.Namespace?.FullName), FolderTable.FolderOf(use.Target.Namespace?.FullName), type.FullName, use.Target.FullName)))
            .Where(static use => use is { From: not null, To: not null } && use.From != use.To)
            .Distinct()];
    }

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));

    [GeneratedRegex("(Common|Helper|Util|Utility|Manager|Service)s?(?![a-z])")]
    private static partial Regex Empty();
}
