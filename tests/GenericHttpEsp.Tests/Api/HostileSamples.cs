namespace GenericHttpEsp.Tests.Api;

/// <summary>Bodies that are taken, with every member there is.</summary>
internal static class HostileSamples
{
    public const string Callback =
        """
        {"version": "v2", "events": {"failed": [
          {"type": "hard_bounce", "email": "{email}", "meta": "1|2|3|{email}|20260101|1||x", "description": "550 no such user", "timestamp": 1800000000}]}}
        """;

    public const string Provider =
        """
        {
          "nickname": "hostile {unique}", "requestType": "POST", "endpoint": "https://api.esp.example/v1/send?token=abcdefghijklmnop",
          "authentication": {"type": "basic", "username": "user", "password": "password-of-the-esp"},
          "headers": [{"name": "X-Key", "value": "key-of-the-esp-4711", "secret": true}],
          "bodyFormat": "json", "compression": "gzip",
          "parameters": {"cid": "$$hid", "key": "$$BatchID", "n": 1, "msgs": [{"to": "$$To", "subject": "$$Subject", "html": "$$HTML", "from": "$$FromName",
            "addr": "$$FromAddress", "mid": "$$MessageID", "name": "{{profile.name}}", "yes": true, "none": null}]},
          "batch": {"parameter": "msgs", "size": 3, "maxBytes": 100000, "lingerMilliseconds": 5},
          "defaultFromName": "Acme", "defaultFromAddress": "news@example.com", "defaultReplyToAddress": "reply@example.com",
          "preferenceCenter": {"type": "customUrl", "url": "https://example.com/preferences"},
          "limits": {"requestsPerSecond": 5, "messagesPerSecond": 100, "concurrency": 2},
          "onUnknown": "retry", "idempotency": {"keyLifetimeSeconds": 600},
          "answers": {"on500": "retry", "statuses": {"409": "accepted"}},
          "response": {"records": {"path": "results", "matchBy": "email", "id": "to", "accepted": {"path": "ok", "equals": true}}},
          "acceptUnsignedMeta": false
        }
        """;

    public const string Trial =
        """
        {
          "subject": "Hello {{ profile.name }}", "fromName": "Acme", "fromAddress": "news@example.com", "replyToAddress": "reply@example.com",
          "cc": "cc@example.com", "bcc": "bcc@example.com", "html": "<p>Hello {{ profile.name }}</p>", "plaintext": "Hello", "ampHtml": "<p>Hello</p>",
          "values": {"hid": 42}, "recipients": [{"email": "{email}", "attributes": {"name": "Ann", "n": 1}, "timeZone": "Europe/Berlin"}]
        }
        """;

    public const string Campaign =
        """
        {
          "name": "hostile {unique}", "providerId": {provider},
          "audience": {"filter": {"and": [{"attribute": "plan", "op": "eq", "value": "gold"}, {"not": {"list": "News"}}]}},
          "subject": "Hello {{ profile.name }}", "fromName": "Acme", "fromAddress": "news@example.com", "replyToAddress": "reply@example.com",
          "cc": "cc@example.com", "bcc": "bcc@example.com", "html": "<p>Hello {{ profile.name }}</p>", "plaintext": "Hello", "ampHtml": "<p>Hello</p>",
          "values": {"hid": 42, "more": {"deep": [1, "x", null]}}, "schedule": "2040-01-31T09:00:00Z"
        }
        """;

    public const string Recipient =
        """{"email": "{email}", "attributes": {"name": "Ann", "n": 1.5, "tags": ["a", {"b": true}]}, "lists": ["News"], "timeZone": "Europe/Berlin"}""";

    public static readonly string[] ProviderFree = ["/parameters", "/response/records/accepted/equals"];
    public static readonly string[] TrialFree = ["/values", "/recipients/0/attributes"];
    public static readonly string[] CampaignFree = ["/values", "/audience/filter/and/0/value"];
    public static readonly string[] CampaignAbsent = ["/audience/all", "/audience/list"];
}
