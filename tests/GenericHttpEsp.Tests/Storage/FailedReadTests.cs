using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Storage;

public sealed class FailedReadTests(PostgresServer server)
{
    /// <summary>A statement that the database refuses must not spoil the connection, with its prepared statements, for whoever gets it next.</summary>
    [Fact]
    public async Task Read_AfterReadsThatFailed_StillWorks()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        for (var round = 0; round < 20; round++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => CountAsync("a\0b"));
            Assert.Equal(0, await CountAsync("a"));
        }

        Task<long> CountAsync(string name) => ledger.Database.ReadAsync(session => session.FirstAsync(
            "select count(*) from lists where name = @name", static row => row.GetInt64(0), ("@name", name)));
    }
}
