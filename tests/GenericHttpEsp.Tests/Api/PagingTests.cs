using FsCheck.Xunit;
using GenericHttpEsp.Api;
using Microsoft.AspNetCore.Http;

namespace GenericHttpEsp.Tests.Api;

public sealed class PagingTests
{
    [Property]
    public bool Cursor_Written_ReadsBack(FsCheck.NonNegativeInt id) => Cursor.TryRead(Cursor.Write(id.Get * 4_000_000_000L), out var read) && read == id.Get * 4_000_000_000L;

    [Theory]
    [InlineData("?limit=0")]
    [InlineData("?limit=501")]
    [InlineData("?limit=-1")]
    [InlineData("?limit=x")]
    [InlineData("?cursor=!!")]
    [InlineData("?cursor=LTE")]
    [InlineData("?limit=1&limit=2")]
    public void Query_ThatIsWrong_IsRefused(string query) => Assert.False(PageRequest.TryBind(Request(query), out _, out _));

    [Fact]
    public void Query_WithoutAnything_HasTheDefaults()
    {
        Assert.True(PageRequest.TryBind(Request(""), out var page, out _));
        Assert.Equal(new PageRequest(0, PageRequest.LimitDefault), page);
    }

    [Theory]
    [InlineData(2, 3, null)]
    [InlineData(3, 3, 3L)]
    [InlineData(4, 3, 3L)]
    public void Page_OfRows_EndsAtItsLimit(int rows, int limit, long? next)
    {
        var page = Page.Of([.. Enumerable.Range(1, rows)], limit, static row => row);
        Assert.Equal(Math.Min(rows, limit), page.Items.Count);
        Assert.Equal(next is null ? null : Cursor.Write(next.Value), page.NextCursor);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("*", true)]
    [InlineData("\"7\"", true)]
    [InlineData("\"6\", \"7\"", true)]
    [InlineData("\"6\"", false)]
    [InlineData("W/\"7\"", false)]
    [InlineData("7", false)]
    public void IfMatch_AgainstVersionSeven_MatchesStrongly(string? header, bool matches)
    {
        var request = Request("");
        if (header is not null)
        {
            request.Headers.IfMatch = header;
        }

        Assert.Equal(matches, ETags.TryMatch(request, 7, out _));
    }

    private static HttpRequest Request(string query)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(query);
        return context.Request;
    }
}
