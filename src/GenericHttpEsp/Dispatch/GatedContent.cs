using System.Net;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>The send window was over, or the claim was closed, when the first byte was asked for.</summary>
internal sealed class GateClosedException() : IOException("The claim's send window is over; nothing was sent.");

/// <summary>
/// The content of every request, of a GET too (zero bytes): it is the gate, it counts what was handed over, and its presence stops SocketsHttpHandler from
/// silently repeating a request on a stale connection. Throwing when asked for the first byte leaves the request's head unsent in the handler's buffer.
/// </summary>
internal sealed class GatedContent(IReadOnlyList<ReadOnlyMemory<byte>> segments, long length, SendGate gate) : HttpContent
{
    // The first piece travels with the head in one packet; the handler's buffer is 4 KB.
    private const int FirstPieceMax = 1024;
    private const int Fresh = 0;
    private const int Started = 1;
    private const int Abandoned = 2;

    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _handedOver;
    private int _state;
    private bool _passed;

    /// <summary>Bytes that were given to the socket.</summary>
    public long HandedOver => Interlocked.Read(ref _handedOver);

    /// <summary>The handler asked for the first byte.</summary>
    public bool WasAsked => Volatile.Read(ref _state) == Started;

    /// <summary>The gate let it through.</summary>
    public bool HasPassed => Volatile.Read(ref _passed);

    /// <summary>The ESP may have the whole request. Of zero bytes all are handed over as soon as the gate is passed.</summary>
    public bool IsAllHandedOver => HasPassed && HandedOver >= length;

    /// <summary>Makes sure that the segments are read no more, waiting a little for a write under way.</summary>
    public async Task<bool> ReleaseAsync(TimeSpan patience, TimeProvider time)
    {
        if (Interlocked.CompareExchange(ref _state, Abandoned, Fresh) != Started)
        {
            return true;
        }

        try
        {
            await _finished.Task.WaitAsync(patience, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _state, Started, Fresh) != Fresh)
        {
            // A second serialisation would be a second request for one claim.
            throw new GateClosedException();
        }

        try
        {
            if (!gate.TryPass())
            {
                throw new GateClosedException();
            }

            Volatile.Write(ref _passed, true);
            FailPoints.Pass(FailPoints.AtGate);
            await WriteAsync(stream, cancellationToken);
        }
        finally
        {
            gate.GiveUp();
            _finished.TrySetResult();
        }
    }

    private async Task WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        // The head must be at the socket before the gate counts as begun: whoever forbids sending is answered right after.
        var first = segments.Count > 0 ? segments[0][..Math.Min(FirstPieceMax, segments[0].Length)] : default;
        await stream.WriteAsync(first, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        gate.MarkBegun();
        Interlocked.Add(ref _handedOver, first.Length);

        for (var i = 0; i < segments.Count; i++)
        {
            var segment = i == 0 ? segments[0][first.Length..] : segments[i];
            await stream.WriteAsync(segment, cancellationToken);
            if (i == segments.Count - 1)
            {
                // Small pieces wait in the handler's buffer: "all" is said after they left it.
                await stream.FlushAsync(cancellationToken);
            }

            Interlocked.Add(ref _handedOver, segment.Length);
        }
    }
}
