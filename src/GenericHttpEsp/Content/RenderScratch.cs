namespace GenericHttpEsp.Content;

/// <summary>What one rendering thread keeps between records. Never shared by threads.</summary>
internal sealed class RenderScratch(TimeProvider time) : IDisposable
{
    internal TimeProvider Time { get; } = time;

    internal EscapingTextWriter Writer { get; } = new();

    /// <summary>For small values that are made before they are escaped: meta, token.</summary>
    internal Utf8Buffer Small { get; } = new();

    public void Dispose()
    {
        Writer.Dispose();
        Small.Dispose();
    }
}
