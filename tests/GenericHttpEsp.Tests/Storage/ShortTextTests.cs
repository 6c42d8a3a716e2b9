using System.Text;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Storage;

public sealed class ShortTextTests
{
    [Theory]
    [InlineData("short", "short")]
    [InlineData("exactly10!", "exactly10!")]
    [InlineData("123456789\U0001F600", "123456789")]
    [InlineData("12345678\U0001F6000", "12345678\U0001F600")]
    [InlineData("elevenchars", "elevenchar")]
    public void Cut_AtTen_NeverHalvesACharacter(string text, string kept)
    {
        Assert.Equal(kept, ShortText.Cut(text, 10));
        new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(ShortText.Cut(text, 10));
    }
}
