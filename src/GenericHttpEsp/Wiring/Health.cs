using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Wiring;

/// <summary><c>/health/live</c>: this process answers. <c>/health/ready</c>: it can also work.</summary>
internal static class Health
{
    private static readonly TimeSpan LedgerTimeout = TimeSpan.FromSeconds(2);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        // Asks nobody: an orchestrator that restarts every silo because the database is away makes it worse.
        routes.MapGet("/health/live", static () => Results.Ok(new HealthAnswer("live", null))).WithTags("Health");
        routes.MapGet("/health/ready", ReadyAsync).WithTags("Health").Produces<HealthAnswer>();
    }

    private static async Task<IResult> ReadyAsync(
        IHostApplicationLifetime lifetime,
        ILocalSiloDetails silo,
        IClusterMembershipService membership,
        LedgerDatabase database,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var reason = lifetime.ApplicationStopping.IsCancellationRequested ? "stopping"
            : membership.CurrentSnapshot.GetSiloStatus(silo.SiloAddress) != SiloStatus.Active ? "silo not active"
            : !await AnswersAsync(database, time, cancellationToken) ? "database does not answer"
            : null;
        return reason is null
            ? Results.Ok(new HealthAnswer("ready", null))
            : Results.Json(new HealthAnswer("notReady", reason), statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<bool> AnswersAsync(LedgerDatabase database, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return await database.ReadAsync(session => session.FirstAsync("select 1", static row => row.GetInt32(0)), cancellationToken)
                .WaitAsync(LedgerTimeout, time, cancellationToken) == 1;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // The answer is the report; whoever uses the database logs why.
            return false;
        }
    }
}

/// <summary>The answer of both health calls.</summary>
public sealed record HealthAnswer(string Status, string? Reason);
