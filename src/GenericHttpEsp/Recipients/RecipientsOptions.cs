using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Recipients;

/// <summary>Section <c>Recipients</c>.</summary>
internal sealed class RecipientsOptions
{
    public const string Section = "Recipients";

    /// <summary>Body of an import. It is streamed, so this bounds time and disk, not memory.</summary>
    [Range(1L << 20, 1L << 40)]
    public long ImportBytesMax { get; set; } = 2L << 30;

    /// <summary>A line of an import, or a CSV record with its line breaks; longer ones are rejected, the others go on.</summary>
    [Range(1 << 10, 1 << 24)]
    public int ImportLineBytesMax { get; set; } = 256 * 1024;

    /// <summary>Recipients of one transaction.</summary>
    [Range(1, 10_000)]
    public int ImportChunkRows { get; set; } = 1000;
}
