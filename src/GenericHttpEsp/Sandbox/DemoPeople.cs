using System.IO.Compression;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// The demo's 10,000 recipients. None is real; <c>DemoPeopleMaker</c> among the tests makes the file, always the same.
/// </summary>
internal static class DemoPeople
{
    public const string FileName = "DemoPeople.ndjson.gz";

    /// <summary>NDJSON, a person a line, as the import takes it.</summary>
    public static Stream Open() => new GZipStream(
        typeof(DemoPeople).Assembly.GetManifestResourceStream($"{typeof(DemoPeople).Namespace}.{FileName}")!, CompressionMode.Decompress);
}
