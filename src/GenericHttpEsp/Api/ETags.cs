using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace GenericHttpEsp.Api;

/// <summary>Versions as strong entity tags (RFC 9110, 8.8.3), and <c>If-Match</c> against lost updates.</summary>
internal static class ETags
{
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <returns>True to go on: no <c>If-Match</c>, <c>*</c>, or the current version among its tags.</returns>
    public static bool TryMatch(HttpRequest request, long version, [NotNullWhen(false)] out IResult? problem)
    {
        problem = null;
        var header = request.Headers.IfMatch;
        if (header.Count == 0)
        {
            return true;
        }

        if (!EntityTagHeaderValue.TryParseStrictList(header, out var tags))
        {
            problem = Problems.Unreadable("If-Match must hold entity tags, such as \"7\".");
            return false;
        }

        var current = new EntityTagHeaderValue(Of(version));
        if (!tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(current, useStrongComparison: true)))
        {
            problem = Problems.Stale($"The current version is {Of(version)}. Read it again and repeat the change.");
        }

        return problem is null;
    }
}
