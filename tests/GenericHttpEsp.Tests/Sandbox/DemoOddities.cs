namespace GenericHttpEsp.Tests.Sandbox;

/// <summary>People whose data looks like an attack or a mistake and is neither; and addresses that are rare and valid. Each has broken some mailing tool.</summary>
internal static class DemoOddities
{
    /// <summary>Whole names; null is a name that is there and empty of meaning.</summary>
    public static readonly IReadOnlyList<string?> Names =
    [
        "<b>Bob</b>", "Tom & Jerry", "Anna \"Ännchen\" von Tharau", "{{ profile.name }}", "{{", "}}", "{% if true %}", "$$HTML", "$$To and $$$$", "Robert'); DROP TABLE recipients;--",
        "<script>alert(1)</script>", "&amp; &lt;already escaped&gt;", "Zoë 🎉", "👩‍👩‍👧‍👦 Family", "🏴‍☠️ Captain", "C:\\Users\\new\\table", "line\nbreak", "tab\there", "comma, semicolon; colon:", "100 % sure",
        "ﬁne ligature", "Ａｌｉｃｅ", "e\u0301clair (decomposed)", "مرحبا Hello שלום", "\u202eright to left\u202c", "𝔉𝔯𝔞𝔨𝔱𝔲𝔯", "null", "undefined", "NaN", "true", "0", "-", " ", "", null,
        "Null O'Null", "\"", "'", "`backtick`", "|pipe|", "a=b&c=d", "?query#fragment", "../../etc/passwd", "%0d%0aBcc: everybody@example.com", "=1+1", "+49 151", "Jean–Luc — “Quotes”", "İstanbul ı", "ß or ẞ",
        "A name that somebody typed into the wrong field and that goes on for quite a while, because nothing ever told them to stop typing",
    ];

    /// <summary>Made unique by a number in place of <c>#</c>.</summary>
    public static readonly IReadOnlyList<string> Addresses =
    [
        "\"odd|pipe#\"@example.com", "\"two words#\"@example.com", "\"at@sign#\"@example.org", "first+tag#@example.com", "UPPER.CASE#@EXAMPLE.COM", "Mixed.Case#@Example.Org",
        "o'brien#@example.net", "user#@bücher.example.com", "user#@münchen.example.org", "user#@例え.example.net", "josé#@example.com", "用户#@example.org", "почта#@example.net", "a#@example.com",
        "dots.in.the.middle.of.it.all#@example.org", "under_score#@example.com", "percent%route#@example.com", "bang!path#@example.net", "hash&amp#@example.com", "equals=sign#@example.org",
        "slash/department#@example.com", "{braces}#@example.net", "tick`#@example.com", "tilde~#@example.org", "-leading-dash#@example.com", "very.long.local.part.of.somebody.with.many.names.indeed.#@example.com",
    ];
}
