using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Storage;

public sealed class LedgerSessionTests(PostgresServer server)
{
    /// <summary>A value that is there after one that was null, and the other way round, with as many parameters as a claim has.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(19)]
    public async Task NullableParameter_OfAStatementUsedAgain_IsTheCallsOwn(int parameters)
    {
        await using var source = PostgresLedger.Source(await server.NewDatabaseAsync(TestContext.Current.CancellationToken));
        await using var session = new LedgerSession(await source.OpenConnectionAsync(TestContext.Current.CancellationToken), StorageEngine.PostgreSql);
        var fillers = Enumerable.Range(0, parameters - 1).Select(static i => ($"@filler{i}", (object?)(long)i)).ToArray();
        var sql = $"select {string.Join(" + ", fillers.Select(static filler => filler.Item1))}, 1000::bigint + cast(@value as bigint)";
        long?[] values = [null, 1, null, null, 2, 3, null, 4, 5, 6, null, 7];

        var read = new List<long?>();
        foreach (var value in values)
        {
            read.Add(await session.FirstAsync(sql, static row => row.IsDBNull(1) ? (long?)null : row.GetInt64(1) - 1000, [.. fillers, ("@value", value)]));
        }

        Assert.Equal(values, read);
    }
}
