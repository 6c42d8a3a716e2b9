using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>A callback ordered by hand. <paramref name="Url"/> may be left to the behaviour's.</summary>
public sealed record SandboxCallbackOrder(string Type, string Email, string Meta, Uri? Url = null);

/// <summary>The control API for tests in other processes. Nothing below <c>/_sandbox</c> is an ESP.</summary>
internal static class SandboxControlApi
{
    public const string Prefix = "/_sandbox";

    private const int EntriesMax = 100_000;

    public static void MapSandboxControl(this IEndpointRouteBuilder routes, SandboxEsp esp)
    {
        var control = routes.MapGroup(Prefix);
        control.MapGet("/summary", () => Results.Json(esp.Summary(), SandboxJson.Options));
        control.MapGet("/log", (HttpContext context, long? after, int? limit, bool? wait) =>
            WriteLogAsync(context, esp, after ?? 0, Math.Clamp(limit ?? 1000, 1, EntriesMax), wait ?? false));
        control.MapGet("/requests/{number:long}", (long number) => Kept(esp, number) is { } kept
            ? Results.Json(new { kept.Request, kept.Method, kept.PathAndQuery, kept.Headers, BodyBytes = kept.Body.Length }, SandboxJson.Options)
            : NotKept());
        control.MapGet("/requests/{number:long}/body", (long number) => Kept(esp, number) is { } kept
            ? Results.Bytes(kept.Body, kept.Header("Content-Type") ?? "application/octet-stream")
            : NotKept());
        control.MapGet("/behaviour", () => Results.Json(esp.Behaviour, SandboxJson.Options));
        control.MapPost("/behaviour", (HttpRequest request) => TakeAsync<SandboxBehaviour>(request, behaviour => esp.Behaviour = behaviour));
        control.MapPost("/hold", (string? point) => Hold(esp, point ?? nameof(SandboxHoldPoint.BeforeAnswer)));
        control.MapPost("/release", esp.Gate.Release);
        control.MapPost("/callbacks", (HttpRequest request) => TakeAsync<SandboxCallbackOrder>(request, order => Order(esp, order)));
    }

    /// <summary>All that is wrong, nested settings included; null when nothing is.</summary>
    public static string? Wrong(SandboxBehaviour behaviour)
    {
        List<ValidationResult> results = [];
        foreach (var part in (object[])[behaviour, behaviour.Callbacks, .. behaviour.Script.Values])
        {
            Validator.TryValidateObject(part, new ValidationContext(part), results, validateAllProperties: true);
        }

        var types = behaviour.Callbacks.Scripted.SelectMany(one => one.Value).Where(type => !SandboxEventBody.IsType(type));
        var wrong = results.Select(result => result.ErrorMessage).Concat(types.Select(type => $"'{type}' is no type of event")).ToList();
        return wrong.Count == 0 ? null : string.Join(' ', wrong);
    }

    private static IResult Hold(SandboxEsp esp, string name)
    {
        if (!Enum.TryParse<SandboxHoldPoint>(name, ignoreCase: true, out var point) || !Enum.IsDefined(point))
        {
            return Error(StatusCodes.Status400BadRequest, $"there is no point '{name}' to hold at");
        }

        esp.Gate.Hold(point);
        return Results.NoContent();
    }

    private static SandboxRequest? Kept(SandboxEsp esp, long number) => esp.Requests.All().FirstOrDefault(kept => kept.Request == number);

    private static IResult NotKept() => Error(StatusCodes.Status404NotFound, "this request is not kept (any more)");

    private static IResult Error(int status, string error) => Results.Json(new { error }, SandboxJson.Options, statusCode: status);

    internal static void Order(SandboxEsp esp, SandboxCallbackOrder order)
    {
        var url = order.Url ?? esp.Behaviour.Callbacks.CallbackUrl ?? throw new ValidationException("there is no callback URL");
        if (!SandboxEventBody.IsType(order.Type))
        {
            throw new ValidationException($"'{order.Type}' is no type of event");
        }

        esp.Callbacks.Queue(url, order.Type, order.Email, order.Meta);
    }

    private static async Task<IResult> TakeAsync<T>(HttpRequest request, Action<T> take)
    {
        try
        {
            var value = await JsonSerializer.DeserializeAsync<T>(request.Body, SandboxJson.Options, request.HttpContext.RequestAborted)
                ?? throw new ValidationException("null is nothing to take");
            if (value is SandboxBehaviour behaviour && Wrong(behaviour) is { } wrong)
            {
                throw new ValidationException(wrong);
            }

            take(value);
            return Results.NoContent();
        }
        catch (JsonException error)
        {
            return Error(StatusCodes.Status400BadRequest, error.Message);
        }
        catch (ValidationException error)
        {
            return Error(StatusCodes.Status422UnprocessableEntity, error.Message);
        }
    }

    /// <summary>NDJSON. With <paramref name="wait"/> it answers only when there is an entry after the given one, so nobody needs to poll.</summary>
    private static async Task WriteLogAsync(HttpContext context, SandboxEsp esp, long after, int limit, bool wait)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, esp.Stopping);
        if (wait)
        {
            await esp.Log.WaitForAsync(entry => entry.Sequence > after, gone.Token);
        }

        context.Response.ContentType = "application/x-ndjson";
        await foreach (var entry in esp.Log.ReadAsync(after, limit, gone.Token))
        {
            await JsonSerializer.SerializeAsync(context.Response.Body, entry, SandboxJson.Options, gone.Token);
            await context.Response.Body.WriteAsync("\n"u8.ToArray(), gone.Token);
        }
    }
}
