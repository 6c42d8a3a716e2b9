namespace GenericHttpEsp.Storage;

/// <summary>The beginning of a text that is kept.</summary>
internal static class ShortText
{
    /// <summary>Never half a character: PostgreSQL's driver refuses a lone surrogate, and with it the whole row.</summary>
    public static string Cut(string text, int charactersMax) => text.Length <= charactersMax
        ? text
        : text[..(char.IsHighSurrogate(text[charactersMax - 1]) ? charactersMax - 1 : charactersMax)];
}
