using FsCheck.Xunit;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class AudiencePropertyTests(AudiencePropertyTests.Ledgers ledgers) : IClassFixture<AudiencePropertyTests.Ledgers>
{
    [Property(Arbitrary = [typeof(AudienceArbitraries)], MaxTest = 60)]
    public async Task Filter_OnBothEngines_MatchesWhomTheEvaluatorMatches(AudienceCase given)
    {
        foreach (var ledger in await ledgers.GetAsync())
        {
            await ledger.RunAsync("delete from memberships");
            await ledger.RunAsync("delete from profiles");
            var ids = await ledger.AddProfilesAsync(given.People.Select(static person => person.Attributes));
            foreach (var list in given.People.SelectMany(static person => person.Lists).Distinct())
            {
                await ledger.AddToListAsync(list, ids.Zip(given.People).Where(pair => pair.Second.Lists.Contains(list)).Select(static pair => pair.First));
            }

            foreach (var filter in given.Filters)
            {
                var expected = ids.Zip(given.People)
                    .Where(pair => AudienceEvaluator.Matches(JsonRead.Element(filter), JsonRead.Element(pair.Second.Attributes), pair.Second.Lists))
                    .Select(static pair => pair.First);
                Assert.Equal(expected, await ledger.MatchAsync(filter));
            }
        }
    }

    /// <summary>One ledger of each engine for all cases: a database for every case would take longer than the case.</summary>
    public sealed class Ledgers(PostgresServer server) : IAsyncDisposable
    {
        private readonly List<TestLedger> _open = [];

        internal async Task<IReadOnlyList<TestLedger>> GetAsync()
        {
            if (_open.Count == 0)
            {
                _open.Add(await TestLedger.CreateAsync(StorageEngine.Sqlite, server));
                _open.Add(await TestLedger.CreateAsync(StorageEngine.PostgreSql, server));
            }

            return _open;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var ledger in _open)
            {
                await ledger.DisposeAsync();
            }
        }
    }
}
