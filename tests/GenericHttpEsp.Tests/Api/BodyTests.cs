using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Api;

public enum SampleKind
{
    Plain,
    VeryFancy,
}

public sealed record SamplePart([Required, StringLength(5)] string? Name, [Range(1, 10)] int Size = 1);

public sealed record SampleBody(
    [Required, StringLength(10)] string? Subject,
    int Count,
    SampleKind Kind = SampleKind.Plain,
    IReadOnlyList<SamplePart>? Parts = null,
    IReadOnlyDictionary<string, JsonElement>? Values = null) : IValidatableObject
{
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Count == 13 ? [new ValidationResult("is unlucky", [nameof(Count)])] : [];
}

public sealed class BodyTests
{
    [Fact]
    public async Task Body_ThatIsRight_IsRead()
    {
        var (value, problem) = await ReadAsync("""{"subject":"a","count":2,"kind":"veryFancy","parts":[{"name":"x"}],"values":{"n":null}}""");
        Assert.Null(problem);
        Assert.Equal(("a", 2, SampleKind.VeryFancy, 1), (value!.Subject, value.Count, value.Kind, value.Parts![0].Size));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"subject":"a","count":1,}""")]
    [InlineData("""{"subject":"a",/* */"count":1}""")]
    [InlineData("""{"subject":"a","subject":"b","count":1}""")]
    [InlineData("""{"subject":"a","\u0073ubject":"b","count":1}""")]
    [InlineData("""{"subject":"a","count":1,"values":{"x":{"y":1,"y":2}}}""")]
    [InlineData("""{"subject":"\ud800","count":1}""")]
    [InlineData("""{"subject":"a","count":1,"values":{"\udc00":1}}""")]
    [InlineData("""{"subject":"a","count":NaN}""")]
    public async Task Body_ThatIsUnreadable_Is400(string json) => Assert.Equal(400, (await ProblemAsync(json)).Status);

    [Fact]
    public async Task Body_NestedTooDeep_Is400() =>
        Assert.Equal(400, (await ProblemAsync($$"""{"values":{"x":{{new string('[', 100_000)}}""")).Status);

    [Theory]
    [InlineData("null", "", "must be an object")]
    [InlineData("[]", "", "must be an object")]
    [InlineData("""{"subject":"a","count":"1"}""", "/count", "must be a whole number in range")]
    [InlineData("""{"subject":"a","count":null}""", "/count", "must be a whole number in range, not null")]
    [InlineData("""{"subject":"a"}""", "/count", "is required")]
    [InlineData("""{"subject":"a","count":1,"kind":"fancy"}""", "/kind", "must be one of \"plain\", \"veryFancy\"")]
    [InlineData("""{"subject":"a","count":1,"kind":1}""", "/kind", "must be one of \"plain\", \"veryFancy\"")]
    [InlineData("""{"subject":"a","count":1,"kidn":"plain"}""", "/kidn", "is not known here; did you mean \"kind\"?")]
    [InlineData("""{"subject":"a","count":1,"Count":1}""", "/Count", "is not known here; did you mean \"count\"?")]
    [InlineData("""{"subject":"a","count":1,"zebra":1}""", "/zebra", "is not known here")]
    [InlineData("""{"subject":"a","count":1,"parts":[{"name":"a"},{"name":"b","siez":1}]}""", "/parts/1/siez", "is not known here; did you mean \"size\"?")]
    [InlineData("""{"subject":"a","count":1,"parts":[null]}""", "/parts/0", "must be an object, not null")]
    [InlineData("""{"subject":"a","count":1,"parts":{}}""", "/parts", "must be an array")]
    [InlineData("""{"subject":"a\u0000","count":1}""", "/subject", "holds \\u0000, which PostgreSQL cannot store")]
    [InlineData("""{"subject":"a","count":1,"values":{"a/b":["\u0000"]}}""", "/values/a~1b/0", "holds \\u0000, which PostgreSQL cannot store")]
    [InlineData("""{"subject":"a","count":13}""", "/count", "is unlucky")]
    public async Task Body_WithOneError_Is422AtItsPlace(string json, string place, string message)
    {
        var problem = await ProblemAsync(json);
        Assert.Equal(422, problem.Status);
        Assert.Equal([message], problem.Errors[place]);
        Assert.Single(problem.Errors);
    }

    [Fact]
    public async Task Body_WithErrorsOfEveryKind_NamesThemAllAtOnce()
    {
        var problem = await ProblemAsync("""{"subjct":1,"count":"x","parts":[{"name":"too long"},{"size":99},{"name":5}],"kind":"plain"}""");
        Assert.Equal(
            ["/count", "/parts/0/name", "/parts/1/name", "/parts/1/size", "/parts/2/name", "/subjct", "/subject"], problem.Errors.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("text/plain", 415)]
    [InlineData(null, 415)]
    [InlineData("application/json; charset=latin1", 415)]
    [InlineData("application/json; charset=utf-8", 200)]
    [InlineData("application/merge-patch+json", 200)]
    public async Task Body_OfAnotherContentType_Is415(string? contentType, int status)
    {
        var (_, problem) = await ApiBody.ReadAsync<SampleBody>(Request("""{"subject":"a","count":1}""", contentType), 1000, CancellationToken.None);
        Assert.Equal(status, problem is null ? 200 : (await ExecuteAsync(problem)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_AboveItsLimit_Is413(bool withLength)
    {
        var request = Request($$"""{"subject":"{{new string('x', 2000)}}","count":1}""", "application/json");
        request.ContentLength = withLength ? request.Body.Length : null;
        var (_, problem) = await ApiBody.ReadAsync<SampleBody>(request, 1000, CancellationToken.None);
        Assert.Equal(413, (await ExecuteAsync(problem!)).Status);
    }

    private static async Task<(SampleBody? Value, IResult? Problem)> ReadAsync(string json) =>
        await ApiBody.ReadAsync<SampleBody>(Request(json, "application/json"), 1 << 20, CancellationToken.None);

    private static async Task<ProblemBody> ProblemAsync(string json) => await ExecuteAsync((await ReadAsync(json)).Problem!);

    private static HttpRequest Request(string json, string? contentType)
    {
        var context = new DefaultHttpContext();
        context.Request.ContentType = contentType;
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(json));
        return context.Request;
    }

    private static async Task<ProblemBody> ExecuteAsync(IResult result)
    {
        using var body = new MemoryStream();
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Response.Body = body;
        await result.ExecuteAsync(context);
        Assert.Equal("application/problem+json", context.Response.ContentType);
        return ProblemBody.Parse(body.ToArray());
    }
}

/// <summary>Problem details as a client reads them.</summary>
internal sealed record ProblemBody(int Status, IReadOnlyDictionary<string, string[]> Errors)
{
    public static ProblemBody Parse(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var errors = document.RootElement.TryGetProperty("errors", out var found)
            ? found.EnumerateObject().ToDictionary(static error => error.Name, static error => error.Value.EnumerateArray().Select(static text => text.GetString()!).ToArray())
            : [];
        return new ProblemBody(document.RootElement.GetProperty("status").GetInt32(), errors);
    }
}
