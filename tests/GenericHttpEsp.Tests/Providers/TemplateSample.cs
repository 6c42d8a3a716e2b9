using System.Text;
using System.Text.Json;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>Providers, campaigns and recipients for tests, and a request rendered as dispatch does it.</summary>
internal static class TemplateSample
{
    public const string BatchKey = "01JABCDEFGHJKMNPQRSTVWXYZ0";

    public const string Whole = """
        {"to":"$$To","subject":"$$Subject","fromName":"$$FromName","fromAddress":"$$FromAddress","htmlContent":"$$HTML","mid":"$$MessageID",
         "trackingId":"$$hid","userName":"{{profile.name}}"}
        """;

    public const string Batched = """
        {"cid":"$$CampaignID","msgs":[{"from":"$$FromName","senderaddr":"$$FromAddress","to":"$$To","mid":"$$MessageID","name":"{{profile.name}}",
         "content":"$$HTML","heading":"$$Subject"}]}
        """;

    public static readonly MetaKeyRing Keys = new([new('k', Encoding.ASCII.GetBytes("0123456789abcdef"))]);

    public static readonly RunFacts Run = new(1568798080, 432, 0, new(2026, 11, 5), new(2026, 11, 5, 9, 0, 0, TimeSpan.Zero), "https://mail.example/", Keys);

    public static readonly CampaignContent Campaign = new()
    {
        Subject = "Your {{profile.discount}}% Discount",
        FromName = "Acme \"Deals\"",
        FromAddress = "deals@acmestore.com",
        Html = "<html><body>Hello {{ profile.name }}, \"enjoy\"</body></html>",
        Values = new Dictionary<string, JsonElement> { ["hid"] = JsonSerializer.SerializeToElement("promo") },
    };

    public static ProviderContract Provider(string parameters = Whole, BatchContract? batch = null) => new()
    {
        Nickname = "esp",
        RequestType = "POST",
        Endpoint = "https://esp.example/send",
        Parameters = JsonDocument.Parse(parameters).RootElement,
        Batch = batch,
    };

    public static ProviderContract Msgs(int size = 500) => Provider(Batched, new("msgs", size, null, null));

    public static RecipientModel Sara(long id = -17005910, string email = "sara@example.com") =>
        RecipientModel.FromJson(id, email, """{"name":"Sara \"S\" <b>","discount":20}"""u8.ToArray());

    public static RequestTemplate Compile(ProviderContract provider)
    {
        var compilation = RequestTemplate.Compile(provider);
        Assert.True(compilation.Template is not null, JsonSerializer.Serialize(compilation.Errors));
        return compilation.Template;
    }

    public static BoundTemplate Bind(ProviderContract provider, CampaignContent? campaign = null, RunFacts? run = null)
    {
        var binding = Compile(provider).Bind(campaign ?? Campaign, run ?? Run);
        Assert.True(binding.Template is not null, JsonSerializer.Serialize(binding.Errors));
        return binding.Template;
    }

    public static AssembledRequest Request(BoundTemplate template, params RecipientModel[] recipients)
    {
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        var ends = new List<int> { 0 };
        foreach (var recipient in recipients)
        {
            Assert.Null(template.RenderRecord(recipient, scratch, output));
            ends.Add(output.Length);
        }
        ReadOnlyMemory<byte> all = output.WrittenSpan.ToArray();
        return template.Assemble([.. ends.Zip(ends.Skip(1), (start, end) => all[start..end])], BatchKey);
    }

    public static byte[] Bytes(this AssembledRequest request)
    {
        byte[] bytes = [.. request.Body.SelectMany(piece => piece.ToArray())];
        Assert.Equal(bytes.Length, request.ContentLength);
        return bytes;
    }

    public static JsonElement Json(this AssembledRequest request) => JsonDocument.Parse(request.Bytes()).RootElement;

    public static string? Header(this AssembledRequest request, string name) =>
        request.Headers.Where(header => header.Name == name).Select(header => header.Value).SingleOrDefault();
}
