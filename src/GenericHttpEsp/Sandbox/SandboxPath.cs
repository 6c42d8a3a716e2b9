using System.Text;

namespace GenericHttpEsp.Sandbox;

/// <summary>A path such as <c>To.Email</c>. Arrays are looked through, so no index is needed; <c>[0]</c> and <c>[]</c> are read over.</summary>
internal sealed class SandboxPath
{
    internal const string Pattern = @"^(\$|(\$\.)?[^.\[\]]+(\[0?\])*(\.[^.\[\]]+(\[0?\])*)*)$";

    private readonly byte[][] _names;

    private SandboxPath(byte[][] names) => _names = names;

    public int Length => _names.Length;

    public static SandboxPath? Parse(string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        var plain = path.Replace("[0]", "", StringComparison.Ordinal).Replace("[]", "", StringComparison.Ordinal);
        var names = plain.Split('.').Where(name => name is not ("" or "$"));
        return new SandboxPath([.. names.Select(Encoding.UTF8.GetBytes)]);
    }

    /// <summary>How many names are matched after one more name; -1 for ever once off the path.</summary>
    public int Step(int matched, ReadOnlySpan<byte> name) =>
        matched >= 0 && matched < _names.Length && name.SequenceEqual(_names[matched]) ? matched + 1 : -1;

    /// <summary>For forms and XML: the last name.</summary>
    public bool EndsIn(ReadOnlySpan<byte> name) => _names.Length > 0 && name.SequenceEqual(_names[^1]);
}

/// <summary>The configured paths; a missing one means guessing.</summary>
internal sealed record SandboxPaths(SandboxPath? Records, SandboxPath? Address, SandboxPath? MessageId, SandboxPath? BatchKey)
{
    public static SandboxPaths From(SandboxOptions options) => new(
        SandboxPath.Parse(options.RecordsPath),
        SandboxPath.Parse(options.AddressPath),
        SandboxPath.Parse(options.MessageIdPath),
        SandboxPath.Parse(options.BatchKeyPath));
}
