using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Xunit;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>Any JSON template with any values: valid JSON whose fields read back as the values, by System.Text.Json and a naive model of substitution.</summary>
public sealed class JsonTemplateProperties
{
    [Property(MaxTest = 300)]
    public void Body_AnyTemplateAndValues_ReadsBack(int seed, NonNull<string>[] texts)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var prototype = values.Node(0);
        var parameters = new JsonObject { ["body"] = prototype.Template, ["all"] = ModelValues.Mandatory() };
        var request = Request(Bind(Provider(parameters.ToJsonString()), values.Campaign), values.Recipient);
        Assert.True(JsonNode.DeepEquals(prototype.Expected, JsonNode.Parse(request.Bytes())!["body"]), $"{parameters.ToJsonString()}\n{Encoding.UTF8.GetString(request.Bytes())}");
    }

    [Property(MaxTest = 100)]
    public void Body_AnyBatch_HoldsEachRecordOnce(int seed, NonNull<string>[] texts, PositiveInt count)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var prototype = values.Node(0);
        var record = new JsonObject { ["body"] = prototype.Template, ["all"] = ModelValues.Mandatory() };
        var parameters = new JsonObject { ["a"] = "$$CampaignID", ["records"] = new JsonArray(record), ["z"] = new JsonArray() };
        var recipients = Enumerable.Repeat(values.Recipient, 1 + (count.Get % 20)).ToArray();
        var items = JsonNode.Parse(Request(Bind(Provider(parameters.ToJsonString(), new("records", 100, null, null)), values.Campaign), recipients).Bytes())!["records"]!.AsArray();
        Assert.Equal(recipients.Length, items.Count);
        Assert.All(items, item => Assert.True(JsonNode.DeepEquals(prototype.Expected, item!["body"])));
    }
}
