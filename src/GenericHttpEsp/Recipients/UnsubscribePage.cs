using System.Security.Cryptography;
using System.Text;

namespace GenericHttpEsp.Recipients;

/// <summary>The pages behind an unsubscribe link: plain HTML, no script, nothing from elsewhere, nothing about the recipient.</summary>
internal static class UnsubscribePage
{
    private const string Style =
        "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
        + "button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.3rem;color:#fff;background:#0b5394;cursor:pointer}"
        + "button:focus-visible{outline:3px solid #f0a500;outline-offset:2px}";

    // The style is named by its hash: whatever else got into the page would not run or load.
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Posts to its own address.</summary>
    public static IResult Question { get; } = Html(
        StatusCodes.Status200OK,
        "Unsubscribe",
        "<p>You will get no more emails from this sender.</p><form method=\"post\"><button type=\"submit\">Unsubscribe</button></form>");

    public static IResult Done { get; } = Html(
        StatusCodes.Status200OK, "You are unsubscribed", "<p>You will get no more emails from this sender. You can close this page.</p>");

    public static IResult TestMessage { get; } = Html(
        StatusCodes.Status200OK, "This was a test message", "<p>The link belongs to a test message, so there is nothing to unsubscribe from.</p>");

    public static IResult Unknown { get; } = Html(
        StatusCodes.Status404NotFound,
        "This link does not work",
        "<p>It is incomplete or damaged. Open the link in the email again, or reply to the sender.</p>");

    private static Page Html(int status, string title, string content) => new(
        status,
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{title}</title>
        <style>{Style}</style>
        </head>
        <body>
        <main>
        <h1>{title}</h1>
        {content}
        </main>
        </body>
        </html>
        """);

    private sealed class Page(int status, string html) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.CacheControl = "no-store";
            response.Headers.ContentSecurityPolicy = Policy;
            response.Headers.XContentTypeOptions = "nosniff";
            response.Headers["Referrer-Policy"] = "no-referrer";
            response.Headers["X-Robots-Tag"] = "noindex, nofollow";
            return response.WriteAsync(html, httpContext.RequestAborted);
        }
    }
}
