using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>What a person may do with a campaign, by its status.</summary>
[GenerateSerializer, Alias("ghe.CampaignAction")]
public enum CampaignAction
{
    Edit,
    Delete,
    Start,
    Pause,
    Resume,
    Stop,
    Retry,
}

internal enum CampaignDecision
{
    Go,

    /// <summary>Already there: the answer is 200 and nothing happens.</summary>
    Already,

    Refuse,
}

/// <summary>The life cycle.</summary>
internal static class CampaignRules
{
    public static CampaignDecision Decide(CampaignAction action, string? status) => (action, status) switch
    {
        (CampaignAction.Edit, CampaignStatuses.Draft) => CampaignDecision.Go,
        (CampaignAction.Delete, CampaignStatuses.Draft) => CampaignDecision.Go,
        (CampaignAction.Start, CampaignStatuses.Draft) => CampaignDecision.Go,
        (CampaignAction.Start, CampaignStatuses.Scheduled or CampaignStatuses.Running) => CampaignDecision.Already,
        (CampaignAction.Pause, CampaignStatuses.Running) => CampaignDecision.Go,
        (CampaignAction.Pause, CampaignStatuses.Paused) => CampaignDecision.Already,
        (CampaignAction.Resume, CampaignStatuses.Paused) => CampaignDecision.Go,
        (CampaignAction.Resume, CampaignStatuses.Running or CampaignStatuses.Scheduled) => CampaignDecision.Already,
        (CampaignAction.Stop, CampaignStatuses.Running or CampaignStatuses.Paused or CampaignStatuses.Scheduled) => CampaignDecision.Go,
        (CampaignAction.Stop, CampaignStatuses.Stopped) => CampaignDecision.Already,
        (CampaignAction.Retry, CampaignStatuses.Completed or CampaignStatuses.Stopped) => CampaignDecision.Go,
        (CampaignAction.Retry, CampaignStatuses.Running) => CampaignDecision.Already,
        _ => CampaignDecision.Refuse,
    };

    /// <summary>Null: go, or it is there already.</summary>
    /// <param name="action">What somebody asks for.</param>
    /// <param name="id">Of the campaign.</param>
    /// <param name="status">Null: there is none.</param>
    public static CampaignReply? Refuse(CampaignAction action, long id, string? status) =>
        status is null ? CampaignReply.Refused(CampaignRefusal.NotFound, $"There is no campaign {id}.")
        : Decide(action, status) == CampaignDecision.Refuse ? CampaignReply.Refused(CampaignRefusal.LifeCycle, Explain(action, status))
        : null;

    /// <summary>Null: there is somebody for whom a retry could be made.</summary>
    public static CampaignReply? RefuseRetry(CampaignCounts counts) =>
        counts.InFlight > 0 ? CampaignReply.Refused(CampaignRefusal.LifeCycle, "Requests are still on the wire: try again in half a minute.")
        : counts.By[RecordOutcome.Failed] + counts.By[RecordOutcome.Refused] == 0 ? CampaignReply.Refused(CampaignRefusal.LifeCycle, "Nobody failed or was refused.")
        : null;

    /// <summary>Why not, and what to do instead.</summary>
    public static string Explain(CampaignAction action, string? status) => (action, status) switch
    {
        (CampaignAction.Edit, _) => $"A campaign that is {status} cannot be changed: make a new one.",
        (CampaignAction.Delete, _) => $"A campaign that is {status} keeps the truth about its recipients and cannot be deleted.",
        (CampaignAction.Start, CampaignStatuses.Paused) => "The campaign is paused: resume it.",
        (CampaignAction.Start, _) => $"The campaign is {status} and starts only once: make a new one.",
        (CampaignAction.Pause, _) => $"Only a running campaign can be paused; this one is {status}.",
        (CampaignAction.Resume, _) => $"Only a paused campaign can be resumed; this one is {status}.",
        (CampaignAction.Retry, _) => $"Only a completed or stopped campaign can retry whom it failed; this one is {status}.",
        _ => $"Only a scheduled, running or paused campaign can be stopped; this one is {status}.",
    };
}
