using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData(" Ann@Example.COM ", "Ann@Example.COM", "ann@example.com")]
    [InlineData("a.b+tag@x.org", "a.b+tag@x.org", "a.b+tag@x.org")]
    [InlineData("\"A|b\"@x.org", "\"A|b\"@x.org", "\"a|b\"@x.org")]
    [InlineData("\"a b\"@x.org", "\"a b\"@x.org", "\"a b\"@x.org")]
    [InlineData("o'neil/x%y@x.org", "o'neil/x%y@x.org", "o'neil/x%y@x.org")]
    [InlineData("jo@bücher.example", "jo@bücher.example", "jo@xn--bcher-kva.example")]
    [InlineData("jo@BÜCHER。example", "jo@BÜCHER。example", "jo@xn--bcher-kva.example")]
    [InlineData("jo@faß.de", "jo@faß.de", "jo@xn--fa-hia.de")]
    [InlineData("Jo\u0065\u0301@x.org", "Jo\u0065\u0301@x.org", "jo\u0065\u0301@x.org")]
    [InlineData("ΔΟΚΙΜΉ@x.org", "ΔΟΚΙΜΉ@x.org", "δοκιμή@x.org")]
    [InlineData("a@[192.0.2.1]", "a@[192.0.2.1]", "a@[192.0.2.1]")]
    [InlineData("a@localhost", "a@localhost", "a@localhost")]
    public void Parse_OfAnAddress_Normalises(string text, string given, string normalised)
    {
        var address = EmailAddress.Parse(text, out var reason);

        Assert.Null(reason);
        Assert.Equal(given.Normalize(), address!.Given);
        Assert.Equal(normalised.Normalize(), address.Normalised);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("a")]
    [InlineData("a@")]
    [InlineData("@b.c")]
    [InlineData("a b@c.d")]
    [InlineData("Ann <a@b.c>")]
    [InlineData("a@b.c, d@e.f")]
    [InlineData("a@b.c.")]
    [InlineData("a@b..c")]
    [InlineData("a(comment)@b.c")]
    [InlineData("a@b@c.d")]
    [InlineData("a\r\nBcc: x@y.z@b.c")]
    [InlineData("\"a\r\n b\"@c.d")]
    [InlineData("a\0@b.c")]
    [InlineData("a\u200b@b.c")]
    [InlineData("a\u202e@b.c")]
    [InlineData("a\ufffd@b.c")]
    [InlineData("a@xn--.c")]
    public void Parse_OfNoAddress_SaysWhy(string? text)
    {
        Assert.Null(EmailAddress.Parse(text, out var reason));
        Assert.False(string.IsNullOrEmpty(reason));
    }

    [Fact]
    public void Parse_OfALoneSurrogate_SaysWhy() => Assert.Null(EmailAddress.Parse("a\ud800@b.c", out _));

    [Theory]
    [InlineData(64, 180, true)]
    [InlineData(65, 20, false)]
    [InlineData(64, 190, false)]
    public void Parse_HoldsTheLengthLimits(int local, int domain, bool valid)
    {
        var labels = string.Concat(Enumerable.Repeat("abcdefghi.", 19))[^domain..];
        var text = $"{new string('a', local)}@{labels.Trim('.')}c";

        Assert.Equal(valid, EmailAddress.Parse(text, out _) is not null);
    }

    [Fact]
    public void Parse_OfAMegabyte_TakesNoTime()
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var part in (string[])["a", "@", "\"", "(", "a@b.c,", "\\", " "])
        {
            Assert.Null(EmailAddress.Parse(string.Concat(Enumerable.Repeat(part, 1_000_000 / part.Length)) + "x", out _));
        }

        Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < 2);
    }

    [Property(MaxTest = 2000)]
    public Property Normalised_Again_IsTheSame() => Prop.ForAll(Addresses(), text =>
    {
        if (EmailAddress.Parse(text, out _) is not { } once)
        {
            return true;
        }

        var twice = EmailAddress.Parse(once.Normalised, out _);
        return twice?.Normalised == once.Normalised && EmailAddress.Parse(once.Given, out _) == once;
    });

    private static Arbitrary<string> Addresses()
    {
        var piece = Gen.Elements(
            "a", "B", "ß", "İ", "ı", "é", "e\u0301", "Σ", "ς", ".", "+", "\"", " ", "|", "@", "@", "@x.org", "@Ü.de", "ﬁ", "Ⅷ", "，", "。", "-", "xn--", "[", "]", "\u0345", "Ǆ", "ᾳ", "K");
        return Gen.ArrayOf(piece).Select(string.Concat).ToArbitrary();
    }
}
