using System.Data.Common;
using System.Threading.Channels;
using GenericHttpEsp.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Data.Sqlite;
using Orleans.Serialization;
using Orleans.Storage;

namespace GenericHttpEsp.Api;

/// <summary>What no handler caught: passing trouble answers 503, a request that broke the protocol its own status, everything else 500 without details.</summary>
internal sealed partial class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const int RetryAfterSeconds = 5;
    private const int SqliteConstraint = 19;
    private const int SqliteError = 1;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var answer = exception switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Problems.TooLarge(BodyLimitRoutes.Of(httpContext)),
            BadHttpRequestException broken => Results.Problem(statusCode: broken.StatusCode, title: "The request cannot be read", detail: broken.Message),
            _ when IsPassing(exception) => Problems.Busy(RetryAfterSeconds, "The storage or the cluster does not answer right now."),
            _ => Problems.Unexpected(),
        };
        if (exception is not BadHttpRequestException)
        {
            LogFailed(exception, httpContext.Request.Method, (httpContext.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText);
        }

        await answer.ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>May the same request succeed a little later? A statement that the database refuses for its content never does.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode is not (SqliteConstraint or SqliteError),
        DbException { SqlState: { Length: 5 } state } => state[..2] is not ("22" or "23" or "42"),
        DbException or CommitUnknownException or TimeoutException or ChannelClosedException => true,
        // An exception of another silo that does not fit into a message: those of database drivers are such, ours are not.
        CodecNotFoundException => true,
        InconsistentStateException or OrleansMessageRejectionException or SiloUnavailableException or LimitExceededException => true,
        _ => exception.InnerException is { } inner && IsPassing(inner),
    };

    // The route and not the path: paths hold addresses.
    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Route} failed")]
    private partial void LogFailed(Exception failure, string method, string? route);
}
