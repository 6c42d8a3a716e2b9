namespace GenericHttpEsp.Sandbox;

/// <summary>What to try on the running server. The key is read from where it lies, so it stands neither on the screen nor in the scrollback.</summary>
internal static class DemoNext
{
    public static IEnumerable<string> Lines(Uri server, long provider, string keyCommand) =>
    [
        "",
        "The server keeps running until Ctrl+C. Try in another terminal:",
        "",
        $"  KEY={keyCommand}; API={server.GetLeftPart(UriPartial.Authority)}",
        "  curl -s -H \"Authorization: Bearer $KEY\" \"$API/v1/campaigns?limit=5\"",
        "  curl -s -H \"Authorization: Bearer $KEY\" \"$API/v1/recipients?limit=3\"",
        $"  curl -s -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \"$API/v1/providers/{provider}/preview\" \\",
        "    -d '{\"subject\":\"Hi {{ profile.name }}\",\"html\":\"<b>Hi</b>\",\"plaintext\":\"Hi\",\"recipients\":[{\"email\":\"you@example.com\",\"attributes\":{\"name\":\"You\"}}]}'",
        "",
        $"API description: {new Uri(server, "/openapi/v1.json")}    README: a first campaign to your own endpoint",
    ];
}
