using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>SocketsHttpHandler with the defaults that hurt taken away.</summary>
internal class GuardedHandler(IAddressResolver resolver, NetworkPolicy policy, IOptions<DispatchOptions> options, TimeProvider time)
{
    public virtual HttpMessageHandler Create()
    {
        var settings = options.Value;
        var connector = new GuardedConnector(resolver, policy, settings.ConnectTimeout, time);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            PreAuthenticate = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = connector.ConnectAsync,
            PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new EarlyAnswerStream(context.PlaintextStream, time)),

            // TLS comes after our own connect; this bounds both.
            ConnectTimeout = settings.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromSeconds(settings.ConnectionLifetimeSeconds),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),

            // Fewer would let requests queue for a connection while their send window runs out.
            MaxConnectionsPerServer = settings.RequestsInFlightMax,
            MaxResponseHeadersLength = settings.AnswerHeadersKilobytesMax,

            // The rest of an answer that is too long is dropped with its connection.
            MaxResponseDrainSize = 0,

            // ESPs get no trace ids of ours.
            ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        };
    }
}
