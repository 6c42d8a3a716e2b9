using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class ImportTests(PostgresServer server, SharedApplication shared) : IClassFixture<SharedApplication>
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Lines_GoodAndBroken_AreTakenAndReported(string engine)
    {
        await using var application = await RecipientsApiTests.StartAsync(new SignalBarrier(), Engines.Parse(engine), server);
        string[] lines =
        [
            """{"email":"a@x.org","attributes":{"n":1},"lists":["L1"],"timeZone":"Asia/Tokyo"}""",
            """{"email":"A@X.org","attributes":{"m":2}}""",
            "",
            "not json",
            """{"email":"b@x.org","attributes":{"x":"\ud800"}}""",
            """{"email":"c@x.org","attributes":{"x":"\u0000"}}""",
            $$$"""{"email":"d@x.org","attributes":{"x":"{{{new string('y', 1_000_000)}}}"}}""",
            """{"email":"nobody"}""",
            """{"email":"\"q|p\"@x.org"}""",
            """{"email":"jo@bücher.example"}""" + "\r",
        ];

        var first = await ImportAsync(application, "?list=All", string.Join('\n', lines));
        var second = await ImportAsync(application, "?list=All", string.Join('\n', lines) + "\n");

        Assert.Equal("9 received, 3 inserted, 1 updated, 5 rejected", Counts(first));
        Assert.Equal("9 received, 0 inserted, 4 updated, 5 rejected", Counts(second));
        Assert.Equal([4, 5, 6, 7, 8], first.GetProperty("errors").EnumerateArray().Select(static error => error.GetProperty("line").GetInt32()));
        Assert.Equal("nobody", first.GetProperty("errors")[4].GetProperty("email").GetString());
        var merged = await application.Client.GetFromJsonAsync<JsonElement>("/v1/recipients/a@x.org", TestContext.Current.CancellationToken);
        Assert.Equal("""{"email":"A@X.org","attributes":{"n":1,"m":2},"lists":["All","L1"],"timeZone":"Asia/Tokyo"}""", merged.GetRawText().Split(",\"subscription")[0] + "}");
    }

    [Fact]
    public async Task Csv_WithQuotesMarkAndTypes_IsTaken()
    {
        var application = shared.Application;
        var csv = "\ufeff\"First, name\",EMAIL, age:number ,vip:boolean,since:date,note,,seen:date\r\n"
            + "Ann,a@x.org,42,yes,2020-02-29,\"two\r\nlines, \"\"quoted\"\"\",,2020-02-29T10:00:00+02:00\r\n"
            + "Bo,b@x.org,many,maybe,2020-02-30,,,\r\n"
            + "\"never closed,c@x.org,1,1,,,,\r\n"
            + "Di,d@x.org,1.50,0,,5\" pipe,,\r\n"
            + "\r\n"
            + "too,few\r\n"
            + "\"x\"y,e@x.org,1,1,,,,\r\n"
            + "Fi,f@x.org,,,,,,\r\n";

        var answer = await ImportAsync(application, "", csv, "text/csv; charset=utf-8");

        Assert.Equal("7 received, 3 inserted, 0 updated, 4 rejected", Counts(answer));
        Assert.Equal([4, 5, 8, 9], answer.GetProperty("errors").EnumerateArray().Select(static error => error.GetProperty("line").GetInt32()));
        Assert.Contains("age: not a number. vip: not a boolean. since: not a date.", answer.GetProperty("errors")[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            """{"First, name":"Ann","age":42,"vip":true,"since":"2020-02-29","note":"two\r\nlines, \"quoted\"","seen":"2020-02-29T08:00:00Z"}""", await AttributesAsync(application, "a@x.org"));
        Assert.Equal("""{"First, name":"Di","age":1.50,"vip":false,"note":"5\" pipe"}""", await AttributesAsync(application, "d@x.org"));
        Assert.Equal("""{"First, name":"Fi"}""", await AttributesAsync(application, "f@x.org"));
    }

    [Theory]
    [InlineData("name\na\n", "email")]
    [InlineData("", "header")]
    [InlineData("email,a,a\n", "two columns")]
    [InlineData("email,a:nubmer\n", "nubmer")]
    public async Task Csv_WithAWrongHeader_IsRefusedWhole(string csv, string reason)
    {
        var application = shared.Application;
        var answer = await PostAsync(application, "", Encoding.UTF8.GetBytes(csv), "text/csv");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(reason, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/csv; charset=iso-8859-1")]
    [InlineData("multipart/form-data; boundary=x")]
    public async Task OtherContentTypes_AreRefused(string contentType)
    {
        var application = shared.Application;
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(application, "", [], contentType)).StatusCode);
    }

    [Fact]
    public async Task Errors_BeyondAHundred_AreCountedOnly()
    {
        var application = shared.Application;
        var answer = await ImportAsync(application, "", "email\n" + string.Concat(Enumerable.Repeat("x\n", 250)), "text/csv");
        Assert.Equal("250 received, 0 inserted, 0 updated, 250 rejected", Counts(answer));
        Assert.Equal(100, answer.GetProperty("errors").GetArrayLength());
    }

    [Fact(Explicit = true)]
    public async Task Measured_ImportOfRows()
    {
        var application = shared.Application;
        var text = new StringBuilder("email,name,plan,age:number,city\n");
        const int rows = 200_000;
        for (var i = 0; i < rows; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"person{i}@example{i % 100}.org,Person {i},pro,{i % 90},Paris\n");
        }

        foreach (var kind in (string[])["first", "again"])
        {
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            var cpu = Environment.CpuUsage.TotalTime;
            var answer = await ImportAsync(application, "?list=All", text.ToString(), "text/csv");
            var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine($"import {kind}: {Counts(answer)}: {rows / seconds:0}/s, {(Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / rows:0} us CPU each");
        }
    }

    private static async Task<string> AttributesAsync(TestApplication application, string email) =>
        (await application.Client.GetFromJsonAsync<JsonElement>($"/v1/recipients/{email}", TestContext.Current.CancellationToken)).GetProperty("attributes").GetRawText();

    private static string Counts(JsonElement answer) =>
        string.Join(", ", ((string[])["received", "inserted", "updated", "rejected"]).Select(name => $"{answer.GetProperty(name).GetInt32()} {name}"));

    private static async Task<JsonElement> ImportAsync(TestApplication application, string query, string body, string contentType = "application/x-ndjson")
    {
        var answer = await PostAsync(application, query, Encoding.UTF8.GetBytes(body), contentType);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    private static Task<HttpResponseMessage> PostAsync(TestApplication application, string query, byte[] body, string contentType)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return application.Client.PostAsync($"/v1/recipients/import{query}", content, TestContext.Current.CancellationToken);
    }
}
