namespace GenericHttpEsp.Sandbox;

/// <summary>What a request is told to suffer: from the script, else drawn by its number.</summary>
internal static class SandboxFaults
{
    public static SandboxAnswer For(SandboxBehaviour behaviour, int seed, long request)
    {
        if (request <= int.MaxValue && behaviour.Script.TryGetValue((int)request, out var scripted))
        {
            return scripted;
        }

        var drawn = SandboxChance.Draw(seed, request, 0, SandboxChance.Fault);
        foreach (var (share, answer) in Shares(behaviour))
        {
            if (drawn < share)
            {
                return answer;
            }

            drawn -= share;
        }

        return new SandboxAnswer();
    }

    public static TimeSpan Latency(SandboxBehaviour behaviour, int seed, long request) => TimeSpan.FromMilliseconds(
        behaviour.LatencyMilliseconds + (behaviour.LatencyJitterMilliseconds * SandboxChance.Draw(seed, request, 0, SandboxChance.Latency)));

    private static (double Share, SandboxAnswer Answer)[] Shares(SandboxBehaviour behaviour) =>
    [
        (behaviour.TooManyRequestsShare,
            new() { Action = SandboxAction.Refuse, Status = StatusCodes.Status429TooManyRequests, RetryAfterSeconds = behaviour.RetryAfterSeconds }),
        (behaviour.ServerErrorShare,
            new() { Action = SandboxAction.Refuse, Status = behaviour.ServerErrorStatus, RetryAfterSeconds = behaviour.RetryAfterSeconds }),
        (behaviour.AcceptThen500Share, new() { Action = SandboxAction.AcceptThenAnswer, Status = StatusCodes.Status500InternalServerError }),
        (behaviour.AcceptThen502Share, new() { Action = SandboxAction.AcceptThenAnswer, Status = StatusCodes.Status502BadGateway }),
        (behaviour.AcceptThenCloseShare, new() { Action = SandboxAction.AcceptThenClose }),
    ];
}
