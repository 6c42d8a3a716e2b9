using System.Text.Json;

namespace GenericHttpEsp.Providers;

/// <summary>The members of a provider that are not the template itself.</summary>
internal static class ProviderRules
{
    // More than any ESP takes; sums of a second's messages stay far from overflowing.
    private const int RatePerSecondMax = 1_000_000;
    private const int NicknameMax = 100;

    // As long as a campaign's own, which stands in their place.
    private const int TextMax = 1000;
    private const int BatchSizeMin = 2;
    private const int BatchSizeMax = 1000;
    private const int LingerMillisecondsMax = 60_000;
    private const int ConcurrencyMax = 512;
    private const int BodyBytesMin = 1024;

    public static void Check(ProviderContract provider, TemplateProblems problems)
    {
        if (string.IsNullOrWhiteSpace(provider.Nickname) || provider.Nickname.Length > NicknameMax)
        {
            problems.Add("/nickname", $"The nickname is missing or longer than {NicknameMax} characters.");
        }
        OneOf(provider.RequestType, "/requestType", problems, "GET", "POST");
        AddressRules.Check(provider.Endpoint, "/endpoint", problems);
        Short(provider.DefaultFromName, "/defaultFromName", problems);
        Short(provider.DefaultFromAddress, "/defaultFromAddress", problems);
        Short(provider.DefaultReplyToAddress, "/defaultReplyToAddress", problems);
        Short(provider.Authentication?.Username, "/authentication/username", problems);
        Short(provider.Authentication?.Password, "/authentication/password", problems);
        OneOf(provider.OnUnknown ?? "hold", "/onUnknown", problems, "hold", "retry");
        AnswerOverrideRules.Check(provider, problems);
        Authentication(provider.Authentication, problems);
        BodyFormat(provider, problems);
        Batch(provider, problems);
        Limits(provider.Limits, problems);
        PreferenceCenter(provider.PreferenceCenter, problems);
        if (provider.Idempotency is { KeyLifetimeSeconds: null or <= 0 })
        {
            problems.Add("/idempotency/keyLifetimeSeconds", "The lifetime is a number of seconds above 0.");
        }
    }

    private static void Authentication(AuthenticationContract? authentication, TemplateProblems problems)
    {
        OneOf(authentication?.Type ?? "none", "/authentication/type", problems, "none", "basic");
        if (authentication?.Type != "basic")
        {
            return;
        }
        if (string.IsNullOrEmpty(authentication.Username) || authentication.Username.Contains(':', StringComparison.Ordinal))
        {
            problems.Add("/authentication/username", "Basic authentication needs a username without a colon.");
        }
        if (authentication.Password is null)
        {
            problems.Add("/authentication/password", "Basic authentication needs a password (it may be empty).");
        }
    }

    private static void BodyFormat(ProviderContract provider, TemplateProblems problems)
    {
        OneOf(provider.BodyFormat ?? "json", "/bodyFormat", problems, "json", "form", "xml", "text");
        OneOf(provider.Compression ?? "none", "/compression", problems, "none", "gzip");
        if (provider.RequestType == "GET" && provider.Compression == "gzip")
        {
            problems.Add("/compression", "A GET request has no body that could be compressed: leave it out.");
        }
        if (provider.RequestType == "GET" && provider.BodyFormat is "xml" or "text")
        {
            problems.Add("/bodyFormat", "A GET request has no body: its parameters become the query. Leave the format out.");
        }
    }

    private static void Batch(ProviderContract provider, TemplateProblems problems)
    {
        if (provider.Batch is not { } batch)
        {
            return;
        }
        if (provider.RequestType == "GET")
        {
            problems.Add("/batch", "A GET request carries one message: batching needs POST.");
        }
        if (batch.Parameter is null)
        {
            problems.Add("/batch/parameter", "Name the key whose value is repeated, or write \"\" when the parameters are an array of records.");
        }
        if (batch.Size is null or < BatchSizeMin or > BatchSizeMax)
        {
            problems.Add("/batch/size", $"The size is a number from {BatchSizeMin} to {BatchSizeMax}.");
        }
        if (batch.MaxBytes < BodyBytesMin)
        {
            problems.Add("/batch/maxBytes", $"The largest body has at least {BodyBytesMin} bytes.");
        }
        if (batch.LingerMilliseconds is < 0 or > LingerMillisecondsMax)
        {
            problems.Add("/batch/lingerMilliseconds", $"The wait for a full batch is 0 to {LingerMillisecondsMax} ms.");
        }
    }

    private static void Limits(LimitsContract? limits, TemplateProblems problems)
    {
        Positive(limits?.RequestsPerSecond, "/limits/requestsPerSecond", problems);
        Positive(limits?.MessagesPerSecond, "/limits/messagesPerSecond", problems);
        if (limits?.Concurrency is < 1 or > ConcurrencyMax)
        {
            problems.Add("/limits/concurrency", $"The concurrency is 1 to {ConcurrencyMax} requests.");
        }
    }

    private static void Positive(double? value, string pointer, TemplateProblems problems)
    {
        if (value is { } number && !(number > 0 && number <= RatePerSecondMax))
        {
            problems.Add(pointer, $"A limit is a number above 0 and at most {RatePerSecondMax}; leave it out for none.");
        }
    }

    private static void PreferenceCenter(PreferenceCenterContract? center, TemplateProblems problems)
    {
        OneOf(center?.Type ?? "none", "/preferenceCenter/type", problems, "none", "system", "customUrl");
        if (center?.Type == "customUrl")
        {
            AddressRules.Check(center.Url, "/preferenceCenter/url", problems);
        }
    }

    private static void Short(string? text, string pointer, TemplateProblems problems)
    {
        if (text?.Length > TextMax)
        {
            problems.Add(pointer, $"At most {TextMax} characters.");
        }
    }

    internal static void OneOf(string? value, string pointer, TemplateProblems problems, params ReadOnlySpan<string> allowed)
    {
        if (!allowed.Contains(value))
        {
            problems.Add(pointer, $"{JsonSerializer.Serialize(value)} is not known here; write {string.Join(" or ", allowed.ToArray())}.");
        }
    }
}
