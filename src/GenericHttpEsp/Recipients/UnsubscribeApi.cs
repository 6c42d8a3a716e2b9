using GenericHttpEsp.Api;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// <c>/u/{token}</c>: the link in every message. GET changes nothing, since scanners and previews open every link; POST acts, whether it comes from the
/// page's button or from a mail provider (RFC 8058: <c>List-Unsubscribe=One-Click</c>, no cookie, no redirect). The token is the permission.
/// </summary>
internal static class UnsubscribeApi
{
    private const int BodyBytesMax = 16 * 1024;

    // Previews and test sends use the number that no campaign has.
    private const long TestCampaign = 0;

    public static void MapUnsubscribe(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/u/{token}", Show).ExcludeFromDescription();
        routes.MapPost("/u/{token}", ActAsync).WithBodyLimit(BodyBytesMax).ExcludeFromDescription();
    }

    private static IResult Show(string token, MetaKeyRing keys) => MessageToken.Parse(token, keys) switch
    {
        null => UnsubscribePage.Unknown,
        { Campaign: TestCampaign } => UnsubscribePage.TestMessage,
        _ => UnsubscribePage.Question,
    };

    private static async Task<IResult> ActAsync(
        string token, HttpRequest request, MetaKeyRing keys, ProfileStore profiles, AcknowledgedChanges changes, CancellationToken cancellationToken)
    {
        // The body says nothing that the method has not said, in whatever form it comes; it is read so that the sender sees the answer.
        if ((await ApiBody.BytesAsync(request, BodyBytesMax, cancellationToken)).Problem is { } tooLarge)
        {
            return tooLarge;
        }

        switch (MessageToken.Parse(token, keys))
        {
            case null:
                return UnsubscribePage.Unknown;
            case { Campaign: TestCampaign }:
                return UnsubscribePage.TestMessage;
            case { Recipient: var recipient }:
                // An erased recipient gets no mail either. A click is the act of a person: it works again after they came back.
                if (await profiles.KeyAsync(recipient, cancellationToken) is { } key)
                {
                    await changes.SetByHandAsync(
                        key, SubscriptionStatus.Unsubscribed, SubscriptionRules.ReasonOf(ForbidCause.Unsubscribed), cancellationToken);
                }

                return UnsubscribePage.Done;
        }
    }
}
