using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace GenericHttpEsp.Api;

/// <summary><c>?cursor=&amp;limit=</c>: rows with an id above <paramref name="After"/>, at most <paramref name="Limit"/> of them.</summary>
internal readonly record struct PageRequest(long After, int Limit)
{
    public const int LimitMax = 500;
    public const int LimitDefault = 100;

    /// <returns>False when the query is wrong; <paramref name="problem"/> is the answer then.</returns>
    public static bool TryBind(HttpRequest request, out PageRequest page, [NotNullWhen(false)] out IResult? problem)
    {
        var errors = new Dictionary<string, string[]>();
        var limit = LimitDefault;
        var after = 0L;
        if (request.Query["limit"].ToString() is { Length: > 0 } text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > LimitMax))
        {
            errors["limit"] = [$"must be a number from 1 to {LimitMax}"];
        }

        if (request.Query["cursor"].ToString() is { Length: > 0 } cursor && !Cursor.TryRead(cursor, out after))
        {
            errors["cursor"] = ["is not a cursor of this API; take nextCursor from the page before"];
        }

        page = new PageRequest(after, limit);
        problem = errors.Count == 0 ? null : Problems.Invalid(errors);
        return problem is null;
    }
}

/// <summary>One page of a list.</summary>
/// <param name="Items">The rows, in the order of their ids.</param>
/// <param name="NextCursor">For the next page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

internal static class Page
{
    /// <summary>Makes a page of <paramref name="items"/>: rows read with the page's limit (or one more: then an exact last page has no cursor).</summary>
    public static Page<T> Of<T>(IReadOnlyList<T> items, int limit, Func<T, long> idSelector)
    {
        if (items.Count < limit)
        {
            return new Page<T>(items, null);
        }

        return new Page<T>(items.Count > limit ? [.. items.Take(limit)] : items, Cursor.Write(idSelector(items[limit - 1])));
    }
}

/// <summary>base64url of a decimal number: opaque enough that nobody computes with it.</summary>
internal static class Cursor
{
    private const int LengthMax = 32;

    public static string Write(long id) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes(id.ToString(CultureInfo.InvariantCulture)));

    public static bool TryRead(string cursor, out long id)
    {
        id = 0;
        if (cursor.Length > LengthMax || !Base64Url.IsValid(cursor))
        {
            return false;
        }

        return long.TryParse(Base64Url.DecodeFromChars(cursor), NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
