using FsCheck.Xunit;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Storage;

public sealed class IdArrayTests(PostgresServer server)
{
    public static TheoryData<long[]> Edges => new(
        Array.Empty<long>(), [0L], [1L], [-1L], [63L, 64, 127, 128, 8191, 8192], [long.MaxValue, long.MinValue, 0, long.MaxValue, -1], [5L, 5, 4]);

    [Property]
    public void Ids_PackedAndUnpacked_AreTheSame(long[] ids) => Assert.Equal(ids, IdArray.Unpack(IdArray.Pack(ids)));

    [Theory]
    [MemberData(nameof(Edges))]
    public void Ids_AtTheEdges_ComeBack(long[] ids) => Assert.Equal(ids, IdArray.Unpack(IdArray.Pack(ids)));

    [Fact]
    public void Ids_OfAFullRange_TakeOneByteEach() =>
        Assert.InRange(IdArray.Pack([.. Enumerable.Range(4_096_000, 4096).Select(id => (long)id)]).Length, 4096, 4100);

    [Theory]
    [InlineData("80")]
    [InlineData("FFFFFFFFFFFFFFFFFFFF01")]
    public void Blob_OfSomethingElse_IsRefused(string packed) =>
        Assert.Throws<InvalidDataException>(() => IdArray.Unpack(Convert.FromHexString(packed)));

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Column_WrittenAndRead_HoldsTheIds(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        long[][] written = [[], [1], [7, 9, 4095], [1L << 52, (1L << 52) + 1]];
        foreach (var (block, ids) in written.Index())
        {
            await ledger.Database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync(
                "insert into audience (campaign_id, run, block, ids) values (1, 1, @block, @ids)",
                ("@block", (long)block), ("@ids", IdArray.ToColumn(session, ids))));
        }

        var read = await ledger.Database.ReadAsync(session => session.QueryAsync(
            "select ids from audience order by block limit 10", row => IdArray.FromColumn(session, row, 0)));
        Assert.Equal(written, read);
    }
}
