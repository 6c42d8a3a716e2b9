namespace GenericHttpEsp.Tests.Storage;

public sealed class LedgerSessionTests(PostgresServer server)
{
    /// <summary>A statement is kept with its parameters; a value that was null at first, or is null now and then, arrives as it is.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Parameter_ThatIsNullNowAndThen_IsWhatItIs(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        foreach (var (first, more) in ((string?, bool)[])[("x0", false), ("x0", true), (null, false), (null, true)])
        {
            await using var session = await ledger.Database.OpenSessionAsync(default);
            var (sent, read) = (new List<string?>(), new List<string?>());
            for (var i = 0; i < 20; i++)
            {
                sent.Add(i == 0 ? first : i % 5 == 0 ? $"x{i}" : null);
                // The driver finds parameters in another way when there are many.
                read.Add(more
                    ? await session.FirstAsync(
                        "select cast(@text as text), cast(@a as bigint) + @b + @c + @d + @e",
                        static row => row.IsDBNull(0) ? null : row.GetString(0),
                        ("@a", 1L), ("@b", 1L), ("@c", 1L), ("@d", 1L), ("@e", 1L), ("@text", sent[^1]))
                    : await session.FirstAsync(
                        "select cast(@text as text)", static row => row.IsDBNull(0) ? null : row.GetString(0), ("@text", sent[^1])));
            }

            Assert.Equal(sent, read);
        }
    }
}
