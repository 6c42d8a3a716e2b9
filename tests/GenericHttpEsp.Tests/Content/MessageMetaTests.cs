using System.Text;
using FsCheck.Xunit;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Tests.Content;

public sealed class MessageMetaTests
{
    private static readonly MetaKey Old = new('a', Encoding.ASCII.GetBytes("0123456789abcdef-old"));
    private static readonly MetaKey New = new('b', Encoding.ASCII.GetBytes("0123456789abcdef-new"));
    private static readonly MetaKeyRing Ring = new([New, Old]);
    private static readonly MessageMeta Sample = new("user1@example.com", 1568798080, 1730714617, new(2024, 11, 4), 0, MessageMeta.DefaultVariant, -17005907);

    [Property(MaxTest = 300)]
    public void Meta_AnyAddress_RoundTrips(string? local, long recipient, FsCheck.NonNegativeInt run)
    {
        var email = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes($"\"{local}|\"@example.com"));
        var meta = Sample with { Email = email, Recipient = recipient, Run = run.Get };
        Assert.Equal((meta, MetaSignature.Valid), MessageMeta.Parse(meta.Format(New), Ring));
        Assert.Equal((meta, MetaSignature.Valid), MessageMeta.Parse(meta.Format(Old), Ring));
    }

    [Fact]
    public void Meta_OfTheSpecification_IsUnsigned() =>
        Assert.Equal((Sample, MetaSignature.Absent), MessageMeta.Parse("user1@example.com|1568798080|1730714617|20241104|0|wzrk_default|-17005907|", Ring));

    [Fact]
    public void Meta_Signed_HasTheSpecificationsForm() =>
        Assert.Matches(@"^user1@example\.com\|1568798080\|1730714617\|20241104\|0\|wzrk_default\|-17005907\|b[A-Za-z0-9_-]{22}$", Sample.Format(New));

    [Fact]
    public void Meta_AnyByteChanged_IsForgedOrNothing()
    {
        var text = Sample.Format(New);
        for (var index = 0; index < text.Length; index++)
        {
            var changed = text[..index] + (char)(text[index] ^ 1) + text[(index + 1)..];
            Assert.False(MessageMeta.Parse(changed, Ring) is { Signature: MetaSignature.Valid }, changed);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("|||||||")]
    [InlineData("|1|2|20241104|0|v|3|")]
    [InlineData("a@b.c|1|2|20241304|0|v|3|")]
    [InlineData("a@b.c|x|2|20241104|0|v|3|")]
    [InlineData("a@b.c|1|2|20241104|0|v|")]
    public void Meta_Broken_IsNothing(string text) => Assert.Null(MessageMeta.Parse(text, Ring));

    [Fact]
    public void Meta_OfAnotherKey_IsForged()
    {
        var stranger = new MetaKey('b', Encoding.ASCII.GetBytes("another-secret-of-16+"));
        Assert.Equal(MetaSignature.Forged, MessageMeta.Parse(Sample.Format(stranger), Ring)?.Signature);
        Assert.Equal(MetaSignature.Forged, MessageMeta.Parse(Sample.Format(New with { Id = 'z' }), Ring)?.Signature);
    }

    [Property(MaxTest = 300)]
    public void Token_AnyNumbers_RoundTripsWithin64Characters(long recipient, FsCheck.NonNegativeInt run, ushort day)
    {
        var token = new MessageToken((1L << 53) - 1, run.Get, new DateOnly(2000, 1, 1).AddDays(day), recipient, "B");
        var text = token.Format(Old);
        Assert.Equal(token, MessageToken.Parse(text, Ring));
        Assert.InRange(text.Length, 1, MessageToken.CharactersMax);
        Assert.Matches("^[A-Za-z0-9_-]+$", text);
    }

    [Fact]
    public void Token_AnyCharacterChanged_IsNothing()
    {
        var text = new MessageToken(12, 1, new(2026, 11, 5), -99, MessageMeta.DefaultVariant).Format(New);
        Assert.NotNull(MessageToken.Parse(text, Ring));
        for (var index = 0; index < text.Length; index++)
        {
            foreach (var other in "AZaz09-_".Where(letter => letter != text[index]))
            {
                Assert.Null(MessageToken.Parse(text[..index] + other + text[(index + 1)..], Ring));
            }
        }
        Assert.Null(MessageToken.Parse(text + "=", Ring));
        Assert.Null(MessageToken.Parse(text[..^1], Ring));
        Assert.Null(MessageToken.Parse("", Ring));
    }
}
