using System.Globalization;

namespace GenericHttpEsp.Api;

/// <summary>Refusals as RFC 9457 <c>application/problem+json</c>; every one the API gives comes from here.</summary>
internal static class Problems
{
    private const int MessageCharactersMax = 1000;

    /// <summary>400: the request could not be read.</summary>
    public static IResult Unreadable(string detail) => Of(StatusCodes.Status400BadRequest, "The request cannot be read", detail);

    /// <summary>422: read, but wrong; JSON pointers into the body and what is wrong there.</summary>
    public static IResult Invalid(IReadOnlyDictionary<string, string[]> errors)
    {
        var cut = errors.ToDictionary(static error => error.Key, static error => error.Value.Select(Cut).ToArray());
        return Results.Problem(
            statusCode: StatusCodes.Status422UnprocessableEntity,
            title: "The request is invalid",
            detail: cut.Count == 1 ? Cut(string.Join(' ', cut.First().Value)) : $"{cut.Count} places are wrong; see errors.",
            extensions: [new("errors", cut)]);
    }

    public static IResult Invalid(string pointer, string message) => Invalid(new Dictionary<string, string[]> { [pointer] = [message] });

    public static IResult Unauthorized(string detail) =>
        new WithHeader(Of(StatusCodes.Status401Unauthorized, "A key is needed", detail), "WWW-Authenticate", "Bearer realm=\"generic-http-esp\"");

    public static IResult NotFound(string detail) => Of(StatusCodes.Status404NotFound, "Not found", detail);

    /// <summary>409: not in this state of its life.</summary>
    public static IResult Conflict(string detail) => Of(StatusCodes.Status409Conflict, "Not possible now", detail);

    /// <summary>412: <c>If-Match</c> names an older version.</summary>
    public static IResult Stale(string detail) => Of(StatusCodes.Status412PreconditionFailed, "Changed meanwhile", detail);

    public static IResult TooLarge(long maxBytes) =>
        Of(StatusCodes.Status413PayloadTooLarge, "The body is too large", $"At most {maxBytes.ToString(CultureInfo.InvariantCulture)} bytes are taken here.");

    public static IResult WrongContentType(string detail) => Of(StatusCodes.Status415UnsupportedMediaType, "Wrong content type", detail);

    /// <summary>503 with <c>Retry-After</c>: passing trouble, the same request may succeed later.</summary>
    public static IResult Busy(int retryAfterSeconds, string detail) => new WithHeader(
        Of(StatusCodes.Status503ServiceUnavailable, "Not possible for the moment", detail),
        "Retry-After",
        retryAfterSeconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>429 with <c>Retry-After</c>: more than this server takes, the same request will succeed later.</summary>
    public static IResult TooMany(int retryAfterSeconds, string detail) => new WithHeader(
        Of(StatusCodes.Status429TooManyRequests, "Too many requests", detail),
        "Retry-After",
        retryAfterSeconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>500 without details: those stand in the log.</summary>
    public static IResult Unexpected() => Of(StatusCodes.Status500InternalServerError, "An unexpected error", "The server's log knows more.");

    /// <summary>Messages quote what was sent, and that may be a megabyte.</summary>
    private static string Cut(string message) => message.Length <= MessageCharactersMax ? message : string.Concat(message.AsSpan(0, MessageCharactersMax), "...");

    private static IResult Of(int status, string title, string detail) => Results.Problem(statusCode: status, title: title, detail: detail);

    private sealed class WithHeader(IResult inner, string name, string value) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[name] = value;
            return inner.ExecuteAsync(httpContext);
        }
    }
}
