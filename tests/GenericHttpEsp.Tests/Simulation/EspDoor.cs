using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>A process's way to the ESP, in place of sockets: connects, asks the gated content for its bytes, waits for the answer. Every part may fail.</summary>
internal sealed class EspDoor(SimulatedEsp esp, Node node, IOptions<DispatchOptions> options)
    : GuardedHandler(null!, null!, options, node.Clock)
{
    public override HttpMessageHandler Create() => new Handler(esp, node);

    private sealed class Handler(SimulatedEsp esp, Node node) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var world = node.World;
            await Task.Delay(world.Chance(0.1) ? world.Between(1, 900) : world.Between(0.05, 4), node.Clock, cancellationToken);
            if (world.Chance(esp.Moods / 10))
            {
                throw new HttpRequestException(HttpRequestError.ConnectionError, "refused");
            }

            await using var wire = new Wire(esp, node, request.Content!.Headers.ContentLength!.Value);
            await Serialize((GatedContent)request.Content, wire, null, cancellationToken);
            var status = await wire.Answered.Task.WaitAsync(cancellationToken);
            return new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent([]) };
        }

        // What HttpContent puts around it continues on the thread pool.
        [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "SerializeToStreamAsync")]
        private static extern Task Serialize(GatedContent content, Stream stream, TransportContext? context, CancellationToken cancellationToken);
    }

    /// <summary>The socket. What was flushed arrives, in order and late, whatever becomes of the process.</summary>
    private sealed class Wire(SimulatedEsp esp, Node node, long length) : Stream
    {
        private readonly EspRequest _request = new(node.Name);
        private readonly MemoryStream _written = new();
        private long _flushed;

        public TaskCompletionSource<int> Answered { get; } = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _written.Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override async Task FlushAsync(CancellationToken cancellationToken)
        {
            if (node.World.Chance(esp.Moods / 20))
            {
                // What the socket did not take does not arrive.
                await node.YieldAsync();
                Answered.TrySetException(new IOException("Connection reset."));
                throw new IOException("Broken pipe.");
            }

            var text = Encoding.UTF8.GetString(_written.GetBuffer(), 0, (int)_written.Length);
            _flushed += _written.Length;
            _written.SetLength(0);
            _request.Text.Append(text);
            Depart();
            await node.YieldAsync();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private void Depart()
        {
            var world = node.World;
            if (_request.Head is null)
            {
                // Less than a tenth of the window: what an acknowledgement allows for.
                _request.Head = world.Ticks + world.Between(0.05, 45).Ticks;
                esp.Requests.Add(_request);
            }

            // A connection may die with the whole request on it.
            if (_flushed == length && !world.Chance(esp.Moods / 10))
            {
                world.After(TimeSpan.FromTicks(_request.Head.Value - world.Ticks) + world.Between(0.05, 200), Arrive);
            }
        }

        private void Arrive()
        {
            var world = node.World;
            if (esp.Answer(_request) is { } status && !world.Chance(esp.Moods / 10))
            {
                world.Add(node, world.Chance(0.03) ? world.Between(4_000, 9_000) : world.Between(0.5, 2000), () => Answered.TrySetResult(status));
            }
            else if (world.Chance(0.5))
            {
                world.Add(node, world.Between(1, 3000), () => Answered.TrySetException(new IOException("Connection reset.")));
            }
        }
    }
}
