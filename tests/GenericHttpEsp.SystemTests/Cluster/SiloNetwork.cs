using System.Diagnostics;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>
/// A network namespace for each silo, on one bridge with the machine that has PostgreSQL and the ESP: packets between any two are dropped on demand, as by a
/// cable that is out. Tests are skipped where namespaces are not allowed.
/// </summary>
internal sealed class SiloNetwork : IAsyncDisposable
{
    private const string Subnet = "10.213.77";
    private const string Bridge = "ghefire0";
    private readonly int _silos;

    private SiloNetwork(int silos) => _silos = silos;

    /// <summary>Where silos reach this machine.</summary>
    public static string Host => $"{Subnet}.1";

    public static string Range => $"{Subnet}.0/24";

    public static async Task<SiloNetwork> StartAsync(int silos)
    {
        var network = new SiloNetwork(silos);
        await network.RemoveAsync();
        var made = Environment.UserName == "root"
            && await TryAsync($"ip link add {Bridge} type bridge && ip addr add {Host}/24 dev {Bridge} && ip link set {Bridge} up");
        for (var silo = 0; made && silo < silos; silo++)
        {
            var (name, end) = (Name(silo), $"{Name(silo)}h");
            made = await TryAsync($"""
                ip netns add {name} && ip link add {end} type veth peer name eth0 netns {name} && ip link set {end} master {Bridge} up &&
                ip -n {name} addr add {Address(silo)}/24 dev eth0 && ip -n {name} link set eth0 up && ip -n {name} link set lo up &&
                ip netns exec {name} iptables -L
                """);
        }

        if (!made)
        {
            await network.RemoveAsync();
        }

        Assert.SkipUnless(made, "Network namespaces take root, ip and iptables.");
        return network;
    }

    public static string Address(int silo) => $"{Subnet}.{silo + 2}";

    /// <summary>Becomes the command behind it, inside of the silo's namespace.</summary>
    public static string[] Prefix(int silo) => ["ip", "netns", "exec", Name(silo)];

    /// <summary>What one silo sends is not heard by the other.</summary>
    public static Task DropAsync(int from, int to) => RuleAsync(to, $"-A INPUT -s {Address(from)} -j DROP");

    /// <summary>The silo and this machine's port do not hear each other.</summary>
    public static Task DropPortAsync(int silo, int port) =>
        Task.WhenAll(RuleAsync(silo, $"-w -A INPUT -s {Host} -p tcp --sport {port} -j DROP"), RuleAsync(silo, $"-w -A OUTPUT -d {Host} -p tcp --dport {port} -j DROP"));

    public async Task HealAsync()
    {
        for (var silo = 0; silo < _silos; silo++)
        {
            await RuleAsync(silo, "-F");
        }
    }

    public async ValueTask DisposeAsync() => await RemoveAsync();

    private static string Name(int silo) => $"ghefire{silo}";

    private static async Task RuleAsync(int silo, string rule) =>
        Assert.True(await TryAsync($"ip netns exec {Name(silo)} iptables {rule}"), rule);

    private async Task RemoveAsync()
    {
        for (var silo = 0; silo < _silos; silo++)
        {
            // Both ends at once; with the namespace alone they go later, and the next test finds the name taken.
            await TryAsync($"ip link del {Name(silo)}h");
            await TryAsync($"ip netns del {Name(silo)}");
        }

        await TryAsync($"ip link del {Bridge}");
    }

    private static async Task<bool> TryAsync(string commands)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", commands]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
