using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Stats;

namespace GenericHttpEsp.Callbacks;

/// <summary>Tells campaigns that something new was recorded: after the commit, one call a campaign and set, and harmless to lose.</summary>
internal sealed class EventNews(IGrainFactory grains, ProviderRates rates)
{
    public void Tell(IReadOnlyList<EventRow> added)
    {
        rates.Note(added);
        foreach (var campaign in added.Select(static row => row.Key.Message.Campaign).Distinct())
        {
            grains.GetGrain<ICampaignGrain>(campaign).NoteEventsAsync().Ignore();
        }
    }
}
