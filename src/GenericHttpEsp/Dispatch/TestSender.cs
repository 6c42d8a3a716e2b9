using System.Text;
using GenericHttpEsp.Providers;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>A test message on the way of all messages: same guard, same client, same gate, but no claim behind it.</summary>
internal sealed class TestSender(EspClient client, OpenClaims claims, IOptions<DispatchOptions> options, TimeProvider time) : ITestSender
{
    public async Task<TestAnswer> SendAsync(AssembledRequest request, CancellationToken cancellationToken)
    {
        // Nobody waits for a test to be over, so its window is as long as an attempt: a slow connect is an answer too.
        using var gate = new SendGate(claims, time, time.GetTimestamp(), options.Value.AttemptTimeout);
        var answer = await client.SendAsync(request, gate, cancellationToken);
        return new(
            answer.Kind is EspAnswerKind.Answered or EspAnswerKind.NoAnswer,
            answer.Kind == EspAnswerKind.Answered ? answer.Status : null,
            answer.Kind == EspAnswerKind.Answered ? Encoding.UTF8.GetString(answer.Body.Span) : null,
            answer.Took,
            answer.Kind == EspAnswerKind.Answered ? null : answer.Detail);
    }
}
