namespace GenericHttpEsp.Sandbox;

/// <summary>What the demo sends to the API: a provider for the sandbox and two campaigns.</summary>
internal static class DemoContent
{
    public const string Nickname = "Sandbox ESP (demo)";
    public const int BatchSize = 500;

    /// <summary>In the shape of the specification's example: shared keys, and records under <c>msgs</c>.</summary>
    public static object Provider(Uri sandbox) => new
    {
        nickname = Nickname,
        requestType = "POST",
        endpoint = new Uri(sandbox, "/v3/send").ToString(),
        headers = new[] { new { name = "Idempotency-Key", value = "$$BatchID" } },
        parameters = new
        {
            cid = "$$CampaignID",
            msgs = new[]
            {
                new Dictionary<string, object>
                {
                    ["from"] = "$$FromName",
                    ["senderaddr"] = "$$FromAddress",
                    ["to"] = "$$To",
                    ["name"] = "{{ profile.fullName | default: profile.name }}",
                    ["mid"] = "$$MessageID",
                    ["heading"] = "$$Subject",
                    ["content"] = "$$HTML",
                    ["text"] = "$$Plaintext",
                    ["headers"] = new Dictionary<string, string> { ["List-Unsubscribe"] = "$$ListUnsubscribe", ["List-Unsubscribe-Post"] = "$$ListUnsubscribePost" },
                    ["unsubscribe"] = "$$UnsubscribeURL",
                },
            },
        },
        batch = new { parameter = "msgs", size = BatchSize },
        defaultFromName = "Linden Tea House",
        defaultFromAddress = "letters@example.com",
    };

    public static object First(long provider) => new
    {
        name = "Autumn letter",
        providerId = provider,
        audience = new { all = true },
        subject = "{{ profile.name | default: 'Hello' }}, the autumn teas are here",
        html = Read("DemoLetter.html"),
        plaintext = "Hello {{ profile.name | default: 'there' }},\n\nthe autumn teas are here.\n\nUnsubscribe: {{ unsubscribeUrl }}\n",
    };

    public static object Second(long provider) => new
    {
        name = "One week later",
        providerId = provider,
        audience = new { all = true },
        subject = "Did you try the smoked oolong, {{ profile.name | default: 'tea friend' }}?",
        html = Read("DemoReminder.html"),
        plaintext = "Hello {{ profile.name | default: 'there' }},\n\nthe smoked oolong is nearly gone.\n\nUnsubscribe: {{ unsubscribeUrl }}\n",
    };

    private static string Read(string file)
    {
        using var reader = new StreamReader(typeof(DemoContent).Assembly.GetManifestResourceStream($"{typeof(DemoContent).Namespace}.{file}")!);
        return reader.ReadToEnd();
    }
}
