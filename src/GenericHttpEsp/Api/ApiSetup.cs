using GenericHttpEsp.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Api;

/// <summary>The door: what every request passes before a slice sees it.</summary>
internal static class ApiSetup
{
    public static void AddApi(this IServiceCollection services)
    {
        services.AddOptions<ApiOptions>().BindConfiguration(ApiOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PublicUrlOptions>().BindConfiguration("").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ServerAddresses>();
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<IdempotencyStore>();
        services.AddSingleton<IRetentionJob>(static provider => provider.GetRequiredService<IdempotencyStore>());
        services.ConfigureHttpJsonOptions(static options => ApiJson.Apply(options.SerializerOptions));
        services.AddProblemDetails();
        services.AddExceptionHandler<ExceptionProblems>();
        services.AddOpenApi("v1");
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<ApiOptions>>(static (kestrel, api) => Limit(kestrel, api.Value));
    }

    /// <summary>Before any route is mapped.</summary>
    public static void UseApi(this WebApplication app)
    {
        app.Use(static (context, next) =>
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        app.UseExceptionHandler();
        // Unknown paths and methods answer problem details too.
        app.UseStatusCodePages();
        app.UseRouting();
        app.UseMiddleware<ApiGuard>();
        // Nothing is unpacked here. A packed body read as it is would be unreadable at best; one that only says so may mean something else to a proxy.
        app.Use(static (context, next) => context.Request.Headers.ContentEncoding.Count == 0 || IsIdentity(context.Request.Headers.ContentEncoding.ToString())
            ? next(context)
            : Problems.WrongContentType("Send the body without Content-Encoding.").ExecuteAsync(context));
    }

    public static void MapApi(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi("/openapi/{documentName}.json");
        routes.MapApiKeys();
    }

    private static bool IsIdentity(string encoding) => encoding.Equals("identity", StringComparison.OrdinalIgnoreCase);

    private static void Limit(KestrelServerOptions kestrel, ApiOptions api)
    {
        var rate = new MinDataRate(api.DataRateMin, TimeSpan.FromSeconds(api.DataRateGraceSeconds));
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = api.BodyBytesMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = api.HeaderBytesMax;
        kestrel.Limits.MaxRequestHeaderCount = api.HeadersMax;
        kestrel.Limits.MaxRequestLineSize = api.RequestLineBytesMax;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(api.HeadersTimeoutSeconds);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(api.KeepAliveSeconds);
        kestrel.Limits.MinRequestBodyDataRate = rate;
        kestrel.Limits.MinResponseDataRate = rate;
        kestrel.Limits.MaxConcurrentConnections = api.ConnectionsMax;
        kestrel.Limits.MaxConcurrentUpgradedConnections = api.ConnectionsMax;
    }
}
