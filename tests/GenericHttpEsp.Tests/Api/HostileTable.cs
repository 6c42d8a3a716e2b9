namespace GenericHttpEsp.Tests.Api;

/// <summary>Every route of the server. A new one is added here, with a sample of its body: its hostile cases follow by themselves.</summary>
internal static class HostileTable
{
    private static readonly string[] Page = ["cursor", "limit"];

    public static readonly HostileRoute[] Routes =
    [
        new("GET", "/openapi/{documentName}.json") { IsPublic = true },
        new("GET", "/health/live") { IsPublic = true },
        new("GET", "/health/ready") { IsPublic = true },
        new("GET", "/u/{token}") { IsPublic = true },
        new("POST", "/u/{token}", HostileBody.Ignored) { IsPublic = true },
        new("POST", "/callbacks/{token}", HostileBody.Callback) { IsPublic = true, Sample = HostileSamples.Callback },

        new("GET", "/v1/keys") { Query = Page },
        new("POST", "/v1/keys", HostileBody.Json) { Sample = """{"name": "key {unique}"}""" },
        new("DELETE", "/v1/keys/{id:long}"),

        new("GET", "/v1/providers") { Query = [.. Page, "status"] },
        new("POST", "/v1/providers", HostileBody.Json) { Sample = HostileSamples.Provider, Free = HostileSamples.ProviderFree, IsIdempotent = true },
        new("GET", "/v1/providers/{id:long}"),
        new("PUT", "/v1/providers/{id:long}", HostileBody.Json) { Sample = HostileSamples.Provider, Free = HostileSamples.ProviderFree, HasETag = true },
        new("DELETE", "/v1/providers/{id:long}") { HasETag = true },
        new("POST", "/v1/providers/{id:long}/archive") { HasETag = true },
        new("POST", "/v1/providers/{id:long}/rotate-callback", HostileBody.OptionalJson) { Sample = """{"revokeOthers": true}""", IsIdempotent = true, HasETag = true },
        new("POST", "/v1/providers/{id:long}/preview", HostileBody.Json) { Sample = HostileSamples.Trial, Free = HostileSamples.TrialFree },
        new("POST", "/v1/providers/{id:long}/test", HostileBody.Json) { Sample = HostileSamples.Trial, Free = HostileSamples.TrialFree },
        new("GET", "/v1/providers/{id:long}/stats"),
        new("GET", "/v1/providers/{id:long}/quarantine") { Query = Page },
        new("POST", "/v1/providers/{id:long}/quarantine/replay") { Query = Page },
        new("DELETE", "/v1/providers/{id:long}/quarantine"),

        new("GET", "/v1/campaigns") { Query = [.. Page, "status"] },
        new("POST", "/v1/campaigns", HostileBody.Json)
        {
            Sample = HostileSamples.Campaign, Free = HostileSamples.CampaignFree, Absent = HostileSamples.CampaignAbsent, IsIdempotent = true,
        },
        new("GET", "/v1/campaigns/{id:long}"),
        new("PUT", "/v1/campaigns/{id:long}", HostileBody.Json)
        {
            Sample = HostileSamples.Campaign, Free = HostileSamples.CampaignFree, Absent = HostileSamples.CampaignAbsent, HasETag = true,
        },
        new("DELETE", "/v1/campaigns/{id:long}") { HasETag = true },
        new("POST", "/v1/campaigns/{id:long}/start") { HasETag = true },
        new("POST", "/v1/campaigns/{id:long}/pause") { HasETag = true },
        new("POST", "/v1/campaigns/{id:long}/resume") { HasETag = true },
        new("POST", "/v1/campaigns/{id:long}/stop") { HasETag = true },
        new("POST", "/v1/campaigns/{id:long}/retry-failed") { HasETag = true },
        new("GET", "/v1/campaigns/{id:long}/unknown") { Query = Page },
        new("POST", "/v1/campaigns/{id:long}/unknown/resolve", HostileBody.Json) { Sample = """{"batchIds": [4711], "outcome": "accepted"}""" },
        new("GET", "/v1/campaigns/{id:long}/errors"),
        new("GET", "/v1/campaigns/{id:long}/recipients") { Query = [.. Page, "outcome"] },
        new("GET", "/v1/campaigns/{id:long}/export") { Query = ["outcome"] },
        new("GET", "/v1/campaigns/{id:long}/stats"),
        new("GET", "/v1/campaigns/{id:long}/verify"),
        new("GET", "/v1/campaigns/{id:long}/progress"),

        new("GET", "/v1/recipients") { Query = [.. Page, "list"] },
        new("GET", "/v1/recipients/{email}"),
        new("PUT", "/v1/recipients/{email}", HostileBody.Json) { Sample = HostileSamples.Recipient, Free = ["/attributes"] },
        new("DELETE", "/v1/recipients/{email}"),
        new("PUT", "/v1/recipients/{email}/subscription", HostileBody.Json) { Sample = """{"status": "unsubscribed", "reason": "asked on the phone"}""" },
        new("GET", "/v1/recipients/{email}/timeline") { Query = Page },
        new("POST", "/v1/recipients/import", HostileBody.Lines) { Query = ["list"] },

        new("GET", "/v1/lists") { Query = Page },
        new("POST", "/v1/lists", HostileBody.Json) { Sample = """{"name": "list {unique}"}""", IsIdempotent = true },
        new("DELETE", "/v1/lists/{name}"),

        new("GET", "/v1/events/export") { Query = ["campaignId"] },
    ];
}
