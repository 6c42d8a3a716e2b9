using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>The files that operators deploy with, as JSON: every scalar is a string.</summary>
internal static class DeployFiles
{
    private const string Image = "generic-http-esp";
    private static readonly string Top = FindTop();

    public static JsonNode Compose { get; } = Yaml("docker-compose.yml").Single();

    public static IReadOnlyList<JsonNode> Kubernetes { get; } =
        [.. Directory.GetFiles(Path.Combine(Top, "deploy/kubernetes"), "*.yaml").Order().SelectMany(static file => Yaml(Path.GetRelativePath(Top, file)))];

    /// <summary>Services of the compose file that run our program as a server.</summary>
    public static IEnumerable<(string Name, JsonNode Service)> Silos => Compose["services"]!.AsObject()
        .Where(static service => service.Key.StartsWith("silo-", StringComparison.Ordinal)).Select(static service => (service.Key, service.Value!));

    public static JsonNode Container => Pod["containers"]![0]!;

    public static JsonNode Pod => Of("Deployment", Image)["spec"]!["template"]!["spec"]!;

    public static string Text(string path) => File.ReadAllText(Path.Combine(Top, path));

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Top, path));

    public static JsonNode Of(string kind, string name) =>
        Kubernetes.Single(document => (string)document["kind"]! == kind && (string?)document["metadata"]?["name"] == name);

    /// <summary>All settings that a file gives the program, with their values (null: from elsewhere).</summary>
    public static IEnumerable<(string File, string Name, string? Value)> Settings() =>
    [
        .. Compose["services"]!.AsObject()
            .Where(static service => (string?)service.Value!["image"] == Image)
            .SelectMany(static service => (service.Value!["environment"]?.AsObject() ?? []).Select(setting => ($"compose {service.Key}", setting.Key, (string?)setting.Value))),
        .. Compose["services"]!.AsObject()
            .Where(static service => (string?)service.Value!["image"] == Image)
            .SelectMany(static service => service.Value!["command"]?.AsArray() ?? [])
            .SelectMany(static argument => Arguments("compose command", (string)argument!)),
        .. Of("ConfigMap", Image)["data"]!.AsObject().Select(static setting => ("ConfigMap", setting.Key, (string?)setting.Value)),
        .. Of("Secret", Image)["stringData"]!.AsObject().Select(static setting => ("Secret", setting.Key, (string?)null)),
        .. Container["env"]!.AsArray().Select(static setting => ("Deployment", (string)setting!["name"]!, (string?)setting["value"])),
        .. Regex.Matches(Text("deploy/Dockerfile"), @"(?:^ENV|\\\n)\s+(?<name>\w+)=(?<value>\S+)", RegexOptions.Multiline)
            .Select(static match => ("Dockerfile", match.Groups["name"].Value, (string?)match.Groups["value"].Value)),
        .. Regex.Matches(Text("deploy/generic-http-esp.service"), @"^Environment=(?<name>\w+)=(?<value>\S+)", RegexOptions.Multiline)
            .Select(static match => ("service", match.Groups["name"].Value, (string?)match.Groups["value"].Value)),
        .. ((string[])["README.md", "deploy/README.md", "deploy/generic-http-esp.service", "deploy/kubernetes/secrets.yaml"]).SelectMany(Mentioned),
    ];

    /// <summary>Numbers of seconds before the program is killed, by file.</summary>
    public static IEnumerable<(string File, int Seconds)> GracePeriods() =>
    [
        .. Silos.Select(static silo => (silo.Name, int.Parse(((string)silo.Service["stop_grace_period"]!).TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture))),
        ("Deployment", Number(Pod["terminationGracePeriodSeconds"]) - Number(Container["lifecycle"]!["preStop"]!["sleep"]!["seconds"])),
        ("service", Number((JsonNode)Regex.Match(Text("deploy/generic-http-esp.service"), @"^TimeoutStopSec=(\d+)$", RegexOptions.Multiline).Groups[1].Value)),
    ];

    public static int Number(JsonNode? node) => int.Parse((string)node!, System.Globalization.CultureInfo.InvariantCulture);

    // `Section__Key` and `--Section:Key` in running text and commands, and `Section:Key`, `:Key` in the first column of tables.
    private static IEnumerable<(string File, string Name, string? Value)> Mentioned(string file)
    {
        foreach (Match match in Regex.Matches(Text(file), @"\b(?<name>[A-Z]\w+__\w+)|--(?<name>[A-Z]\w*(?::\w+)*)=|`(?<name>[A-Z]\w+:[A-Z]\w+)`"))
        {
            yield return (file, match.Groups["name"].Value, null);
        }

        foreach (var row in Lines(file).Where(static line => Regex.IsMatch(line, @"^\| `[A-Z]\w+:\w+`, `:")))
        {
            var section = Regex.Match(row, @"`(\w+):").Groups[1].Value;
            foreach (Match match in Regex.Matches(row.Split('|')[1], "`:(?<name>\\w+)`"))
            {
                yield return (file, $"{section}:{match.Groups["name"].Value}", null);
            }
        }
    }

    private static IEnumerable<(string File, string Name, string? Value)> Arguments(string file, string argument) =>
        argument.StartsWith("--", StringComparison.Ordinal) && argument.Split('=', 2) is [var name, var value] ? [(file, name[2..], value)] : [];

    private static IEnumerable<JsonNode> Yaml(string path)
    {
        var json = new SerializerBuilder().JsonCompatible().Build();
        // ${NAME:-default} of the compose file: what it is without a setting.
        var parser = new MergingParser(new Parser(new StringReader(Regex.Replace(Text(path), @"\$\{\w+:-(.*?)\}", "$1"))));
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
        {
            yield return JsonNode.Parse(json.Serialize(new Deserializer().Deserialize<object>(parser)!))!;
        }
    }

    private static string FindTop()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "GenericHttpEsp.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
