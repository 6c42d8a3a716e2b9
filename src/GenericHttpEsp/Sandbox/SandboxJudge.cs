using System.Text;

namespace GenericHttpEsp.Sandbox;

/// <summary>Decides over a body that was read, and counts the decision.</summary>
internal sealed class SandboxJudge(SandboxTally tally, SandboxBatchKeys batchKeys)
{
    /// <param name="told">The fault told to this request.</param>
    /// <param name="bodyHash">Needed only for a batch key that is honoured.</param>
    public SandboxVerdict Decide(SandboxBehaviour behaviour, SandboxAnswer told, long request, SandboxRecords records, byte[]? bodyHash)
    {
        if (records.Problem is { } problem)
        {
            tally.Note(problem);
        }

        if (told.Action is SandboxAction.Refuse or SandboxAction.CloseAfterBody)
        {
            tally.Refuse(byBehaviour: true, records.Count);
            return TurnedAway(told) with { Problem = records.Problem };
        }

        if (records.Problem is not null)
        {
            return Refuse(records.ProblemStatus, records.Problem, records);
        }

        var refused = RefusedRecords(behaviour, records);
        if (refused.Count > 0 && !behaviour.RefusePartially)
        {
            return Refuse(StatusCodes.Status400BadRequest, $"record {refused.Min()}: refused address", records);
        }

        var first = request;
        if (behaviour.HonourBatchKey && records.BatchKey is { } key && bodyHash is not null)
        {
            (var claim, first) = batchKeys.Take(key, bodyHash, request, behaviour.BatchKeyLifetimeSeconds);
            if (claim == SandboxBatchKeys.Claim.OtherBody)
            {
                tally.Note("batch key with another body");
                return Refuse(StatusCodes.Status409Conflict, $"request {first} used this batch key with another body", records);
            }
        }

        return Accept(behaviour, told, first, first != request, records, refused);
    }

    private static SandboxVerdict TurnedAway(SandboxAnswer told) => told.Action == SandboxAction.CloseAfterBody
        ? SandboxVerdict.Cut("told to close")
        : Answered(told, told.Status ?? StatusCodes.Status503ServiceUnavailable, SandboxAnswers.Error("told to refuse"));

    private static SandboxVerdict Answered(SandboxAnswer told, int status, ReadOnlyMemory<byte> body) => new()
    {
        Status = status,
        Body = told.Body is null ? body : Encoding.UTF8.GetBytes(told.Body),
        RetryAfterSeconds = told.RetryAfterSeconds,
    };

    private static HashSet<int> RefusedRecords(SandboxBehaviour behaviour, SandboxRecords records) => behaviour.RefusesAny
        ? [.. records.Addresses.Index().Where(record => behaviour.Refuses(record.Item)).Select(record => record.Index)]
        : [];

    private SandboxVerdict Refuse(int status, string problem, SandboxRecords records)
    {
        tally.Refuse(byBehaviour: false, records.Count);
        return SandboxVerdict.Refusal(status, problem);
    }

    private SandboxVerdict Accept(
        SandboxBehaviour behaviour, SandboxAnswer told, long first, bool repetition, SandboxRecords records, HashSet<int> refused)
    {
        if (repetition)
        {
            tally.Repeat();
        }
        else
        {
            tally.Accept(records, refused);
        }

        var success = SandboxAnswers.Success(behaviour.AnswerShape, first, records, refused);
        var verdict = told.Action switch
        {
            SandboxAction.AcceptThenClose => SandboxVerdict.Cut("told to close"),
            SandboxAction.AcceptThenAnswer => Answered(told, told.Status ?? StatusCodes.Status500InternalServerError, SandboxAnswers.Error("told to fail")),
            _ => Answered(told, told.Status ?? StatusCodes.Status200OK, success) with { CutAnswer = told.Action == SandboxAction.AcceptThenCutAnswer },
        };
        return verdict with { Accepts = !repetition, Repetition = repetition, Refused = refused };
    }
}
