using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using GenericHttpEsp.Wiring;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>Compose file, Dockerfile, manifests, service file and the tables of the READMEs against the program itself: no engine is needed to find a wrong name.</summary>
public sealed class DeployTests
{
    // Fixed by the contract; its page may come later.
    private const string Preferences = "/p/";

    [Fact]
    public void EverySetting_InEveryFile_IsAnOption()
    {
        var settings = DeployFiles.Settings().ToList();
        Assert.True(settings.Count > 60, $"Only {settings.Count} settings were found.");
        Assert.Empty(settings.Where(static setting => !OptionNames.Has(setting.Name)).Select(static setting => $"{setting.File}: {setting.Name}"));
    }

    [Theory]
    [InlineData("Cluster__AdvertisedAdress")]
    [InlineData("Cluster__advertisedAddress")]
    [InlineData("Clusters__SiloPort")]
    [InlineData("Dispatch__AllowedNetworks__x")]
    [InlineData("Dispatch__SendWindow")]
    [InlineData("PublicUri")]
    [InlineData("DOTNET_EnableDiagnostic")]
    public void MisspeltSetting_IsFound(string name) => Assert.False(OptionNames.Has(name));

    [Fact]
    public void EveryValue_PassesTheOptionsOwnValidation()
    {
        foreach (var file in DeployFiles.Settings().Where(static setting => setting.Value is not null).GroupBy(static setting => setting.File))
        {
            Assert.Empty(OptionNames.Wrong(file.Select(static setting => (setting.Name, setting.Value))).Select(problem => $"{file.Key}: {problem}"));
        }

        Assert.NotEmpty(OptionNames.Wrong([("Cluster__SiloPort", "0")]));
    }

    [Fact]
    public void Ports_AreTheProgramsDefaults()
    {
        var http = new Uri(ServeProgram.Configuration([])["Urls"]!).Port;
        int[] expected = [http, Constant("ClusterSiloPort"), Constant("ClusterGatewayPort")];
        Assert.Equal(expected, Regex.Match(DeployFiles.Text("deploy/Dockerfile"), @"^EXPOSE (.+)$", RegexOptions.Multiline).Groups[1].Value.Split(' ').Select(int.Parse));
        Assert.Equal(expected, DeployFiles.Container["ports"]!.AsArray().Select(static port => DeployFiles.Number(port!["containerPort"])));
        var config = DeployFiles.Of("ConfigMap", "generic-http-esp")["data"]!;
        Assert.Equal(http, new Uri((string)config["Urls"]!).Port);
        Assert.Equal(expected.Skip(1), ((string[])["Cluster__SiloPort", "Cluster__GatewayPort"]).Select(name => DeployFiles.Number(config[name])));
        Assert.Contains($"Urls=http://0.0.0.0:{http} ", DeployFiles.Text("deploy/Dockerfile"), StringComparison.Ordinal);
        Assert.All(Upstreams(), upstream => Assert.Equal(http, upstream.Port));

        // Between silos means between silos: whoever else reached these ports would be believed.
        var rules = DeployFiles.Of("NetworkPolicy", "silos")["spec"]!["ingress"]!.AsArray();
        foreach (var rule in rules.Where(rule => rule!["ports"]!.AsArray().Any(port => expected.Skip(1).Contains(DeployFiles.Number(port!["port"])))))
        {
            var from = Assert.Single(rule!["from"]!.AsArray())!.AsObject();
            Assert.Equal("podSelector", Assert.Single(from).Key);
            Assert.Equal("generic-http-esp", (string)from["podSelector"]!["matchLabels"]!["app.kubernetes.io/name"]!);
        }
    }

    [Fact]
    public async Task Paths_AreRoutesOfTheProgram_AndThePublicOnesAreExactlyThese()
    {
        await using var application = await TestApplication.StartAsync();
        var routes = application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(static route => "/" + route.RoutePattern.RawText!.TrimStart('/')).ToList();
        var probes = ((string[])["startupProbe", "livenessProbe", "readinessProbe"]).Select(static probe => (string)DeployFiles.Container[probe]!["httpGet"]!["path"]!);
        Assert.All(probes, probe => Assert.Contains(probe, routes));
        Assert.Contains("/v1/campaigns/{id:long}/progress", routes);
        Assert.Contains(Nginx(8080), static location => location.Contains("progress", StringComparison.Ordinal));
        Assert.Contains("/v1/recipients/import", routes);
        Assert.Contains("/v1/recipients/import", Nginx(8080));

        var open = routes.Where(static route => !Regex.IsMatch(route, "^/(v1|health|openapi)/")).Select(static route => route[..(route.IndexOf('/', 1) + 1)])
            .Append(Preferences).Distinct().Order().ToList();
        Assert.Equal(open, Paths("generic-http-esp-public"));
        Assert.Equal(open, Nginx(8081).Where(static location => location != "/").Order());
        Assert.Equal(["/openapi/", "/v1/"], Paths("generic-http-esp-admin"));
    }

    [Fact]
    public void Service_RepeatsNoStartThatIsRefusedEveryTime() => Assert.Contains(
        $"\nRestartPreventExitStatus={StartRefusal.NewerSchema}\n", DeployFiles.Text("deploy/generic-http-esp.service"), StringComparison.Ordinal);

    [Fact]
    public void GracePeriods_AreLongerThanTheProgramsOwn()
    {
        var periods = DeployFiles.GracePeriods().ToList();
        Assert.Equal(5, periods.Count);
        Assert.All(periods, static period => Assert.True(period.Seconds > new ClusterOptions().ShutdownSeconds, period.File));
    }

    [Fact]
    public void Compose_SilosKnowTheirOwnAddressesAndShareOneKey()
    {
        var silos = DeployFiles.Silos.ToList();
        Assert.Equal(3, silos.Count);
        var network = IPNetwork.Parse((string)DeployFiles.Compose["networks"]!["silos"]!["ipam"]!["config"]![0]!["subnet"]!);
        foreach (var (_, silo) in silos)
        {
            var address = (string)silo["environment"]!["Cluster__AdvertisedAddress"]!;
            Assert.Equal(address, (string)silo["networks"]!["silos"]!["ipv4_address"]!);
            Assert.True(network.Contains(IPAddress.Parse(address)));
            Assert.Equal("keys:/keys:ro", (string)silo["volumes"]![0]!);
            Assert.StartsWith("/keys/", (string)silo["environment"]!["Secrets__KeyFile"]!, StringComparison.Ordinal);
            Assert.Equal("true", (string)silo["read_only"]!);
        }

        Assert.Equal(3, silos.Select(static silo => (string)silo.Service["environment"]!["Cluster__AdvertisedAddress"]!).Distinct().Count());
        Assert.Equal(silos.Select(static silo => silo.Name), Upstreams().Select(static upstream => upstream.Name));
        var command = (string)DeployFiles.Compose["services"]!["keys"]!["command"]![0]!;
        Assert.Contains((string)silos[0].Service["environment"]!["Secrets__KeyFile"]!, command, StringComparison.Ordinal);
        var published = DeployFiles.Compose["services"]!.AsObject().SelectMany(static service => service.Value!["ports"]?.AsArray() ?? []).Select(static port => (string)port!).ToList();
        Assert.Equal(["127.0.0.1:8080:8080", "127.0.0.1:8081:8081"], published);
    }

    [Fact]
    public void Compose_PasswordAndAllowedNetworkFitTheServicesTheyName()
    {
        var services = DeployFiles.Compose["services"]!;
        var environment = DeployFiles.Silos.First().Service["environment"]!;
        var postgres = services["postgres"]!["environment"]!;
        Assert.Contains($"Password={(string)postgres["POSTGRES_PASSWORD"]!};", (string)environment["ConnectionStrings__Postgres"]!, StringComparison.Ordinal);
        Assert.Contains($"Host=postgres;Database={(string)postgres["POSTGRES_DB"]!};Username={(string)postgres["POSTGRES_USER"]!};", (string)environment["ConnectionStrings__Postgres"]!, StringComparison.Ordinal);
        var sandbox = ((string)environment["Dispatch__AllowedNetworks__0"]!).Split(':');
        Assert.Contains($"--Sandbox:Port={sandbox[1]}", services[sandbox[0]]!["command"]!.AsArray().Select(static argument => (string)argument!));
    }

    [Fact]
    public void Proxy_NeverRepeatsWhatMayHaveBeenDone()
    {
        var proxy = DeployFiles.Text("deploy/nginx.conf");
        Assert.Equal("error timeout", Regex.Match(proxy, @"^\s*proxy_next_upstream (.+);", RegexOptions.Multiline).Groups[1].Value);
        Assert.DoesNotMatch(@"log_format .*\$(uri|request|args|request_uri)\b", proxy);
    }

    [Fact]
    public void Kubernetes_NamesPointToWhatIsThere()
    {
        Assert.All(DeployFiles.Container["envFrom"]!.AsArray(), static source => Assert.NotNull(source!["configMapRef"] is { } map
            ? DeployFiles.Of("ConfigMap", (string)map["name"]!) : DeployFiles.Of("Secret", (string)source["secretRef"]!["name"]!)));
        var key = DeployFiles.Of("Secret", (string)DeployFiles.Pod["volumes"]![0]!["secret"]!["secretName"]!)["stringData"]!.AsObject();
        var mount = (string)DeployFiles.Container["volumeMounts"]![0]!["mountPath"]!;
        Assert.Equal((string)DeployFiles.Of("ConfigMap", "generic-http-esp")["data"]!["Secrets__KeyFile"]!, $"{mount}/{Assert.Single(key).Key}");
        var address = DeployFiles.Container["env"]!.AsArray().Single(static setting => (string)setting!["name"]! == "Cluster__AdvertisedAddress");
        Assert.Equal("status.podIP", (string)address!["valueFrom"]!["fieldRef"]!["fieldPath"]!);
        var labels = DeployFiles.Of("Deployment", "generic-http-esp")["spec"]!["template"]!["metadata"]!["labels"]!.ToJsonString();
        Assert.Equal(labels, DeployFiles.Of("Service", "generic-http-esp")["spec"]!["selector"]!.ToJsonString());
        Assert.Equal(labels, DeployFiles.Of("PodDisruptionBudget", "generic-http-esp")["spec"]!["selector"]!["matchLabels"]!.ToJsonString());
        Assert.Equal(labels, DeployFiles.Of("NetworkPolicy", "silos")["spec"]!["podSelector"]!["matchLabels"]!.ToJsonString());
        var listed = DeployFiles.Kubernetes.Single(static document => (string)document["kind"]! == "Kustomization")["resources"]!.AsArray().Count;
        Assert.Equal(6, listed);
    }

    [Fact]
    public void Containers_HaveNoRights()
    {
        Assert.Equal("true", (string)DeployFiles.Pod["securityContext"]!["runAsNonRoot"]!);
        Assert.Equal("1654", (string)DeployFiles.Pod["securityContext"]!["runAsUser"]!);
        Assert.Equal("RuntimeDefault", (string)DeployFiles.Pod["securityContext"]!["seccompProfile"]!["type"]!);
        Assert.Equal("false", (string)DeployFiles.Pod["automountServiceAccountToken"]!);
        Assert.Equal("""{"allowPrivilegeEscalation":"false","readOnlyRootFilesystem":"true","capabilities":{"drop":["ALL"]}}""", DeployFiles.Container["securityContext"]!.ToJsonString());
        Assert.Null(DeployFiles.Container["resources"]!["limits"]!["cpu"]);
        var docker = DeployFiles.Lines("deploy/Dockerfile");
        Assert.True(Array.IndexOf(docker, "USER $APP_UID") > Array.FindLastIndex(docker, static line => line.StartsWith("RUN ", StringComparison.Ordinal)));
    }

    [Fact]
    public void HealthChecks_UseVerbsThatExist()
    {
        var verbs = Regex.Matches(DeployFiles.Text("src/GenericHttpEsp/Program.cs"), "^    \"(\\w+)\" =>", RegexOptions.Multiline).Select(static match => match.Groups[1].Value).ToList();
        Assert.Contains("HEALTHCHECK", DeployFiles.Text("deploy/Dockerfile"), StringComparison.Ordinal);
        var used = Regex.Matches(DeployFiles.Text("deploy/Dockerfile") + DeployFiles.Text("docker-compose.yml"), "\"GenericHttpEsp.dll\", \"(\\w+)\"").Select(static match => match.Groups[1].Value);
        var written = Regex.Matches(DeployFiles.Text("deploy/README.md") + DeployFiles.Text("README.md"), @"GenericHttpEsp(?:\.dll)? (?!cannot|listens|is |on )([a-z]\w*)").Select(static match => match.Groups[1].Value);
        Assert.All(used.Concat(written), verb => Assert.Contains(verb, verbs));
    }

    private static int Constant(string name) => (int)typeof(GenericHttpEsp.Wiring.Silo).GetField(name, BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue()!;

    private static IEnumerable<(string Name, int Port)> Upstreams() =>
        Regex.Matches(DeployFiles.Text("deploy/nginx.conf"), @"^\s*server ([\w-]+):(\d+) ", RegexOptions.Multiline)
            .Select(static match => (match.Groups[1].Value, int.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Locations of the proxy's server on a port.</summary>
    private static List<string> Nginx(int port)
    {
        var server = DeployFiles.Text("deploy/nginx.conf").Split("  server {").Single(part => part.Contains($"listen {port};", StringComparison.Ordinal));
        return [.. Regex.Matches(server, @"location (?:[=~] )?(\S+) \{").Select(static match => match.Groups[1].Value)];
    }

    private static IEnumerable<string> Paths(string ingress) =>
        DeployFiles.Of("Ingress", ingress)["spec"]!["rules"]![0]!["http"]!["paths"]!.AsArray().Select(static path => (string)path!["path"]!).Order();
}
