using System.Buffers;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <param name="Bytes">Rented from the shared pool: longer than the records. Whoever takes the page gives it back.</param>
internal sealed record RenderedPage(long[] Ids, RecordOutcome[] Outcomes, int[] Lengths, byte[] Bytes);

/// <summary>Renders people into the records of a page. One thread at a time.</summary>
internal sealed class PageRenderer(TimeProvider time) : IDisposable
{
    // Grain messages stay under 1 MB: what one record adds beyond is its own limit.
    private const int PageBytes = 768 * 1024;
    private readonly RenderScratch _scratch = new(time);
    private readonly Utf8Buffer _buffer = new();

    /// <summary>As many of the people as fit into a page, at least one.</summary>
    public RenderedPage Render(BoundTemplate template, ReadOnlyMemory<long> ids, IReadOnlyDictionary<long, ProfileRow> profiles)
    {
        _buffer.Clear();
        var outcomes = new RecordOutcome[ids.Length];
        var lengths = new int[ids.Length];
        var count = 0;
        while (count < ids.Length && _buffer.Length < PageBytes)
        {
            var before = _buffer.Length;
            outcomes[count] = RenderOne(template, profiles.GetValueOrDefault(ids.Span[count]));
            lengths[count] = _buffer.Length - before;
            count++;
        }

        // Copied once, into a buffer that lives as long as its requests; the one rendered into is used again at once.
        var bytes = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length, 1));
        _buffer.WrittenSpan.CopyTo(bytes);
        return new RenderedPage(ids[..count].ToArray(), outcomes[..count], lengths[..count], bytes);
    }

    public void Dispose()
    {
        _scratch.Dispose();
        _buffer.Dispose();
    }

    private RecordOutcome RenderOne(BoundTemplate template, ProfileRow profile)
    {
        if (profile.Email is null)
        {
            return RecordOutcome.SkippedErased;
        }

        if (EmailAddress.Parse(profile.Email, out _) is null)
        {
            return RecordOutcome.SkippedBadAddress;
        }

        FailPoints.Pass(FailPoints.InRender);
        var recipient = RecipientModel.FromJson(profile.Id, profile.Email, profile.AttributesUtf8, profile.TimeZone);
        return template.RenderRecord(recipient, _scratch, _buffer) is null ? RecordOutcome.ToCome : RecordOutcome.SkippedRender;
    }
}
