namespace GenericHttpEsp.Wiring;

/// <summary>The verb <c>health [ADDRESS]</c>: 0 when the server answers that it is ready, else 1 and why. For container health checks: the image has no HTTP client.</summary>
internal static class HealthProgram
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] args)
    {
        var told = args.Length > 0 && !args[0].StartsWith('-');
        var address = told ? args[0] : Ready(ServeProgram.Configuration(args)["Urls"]!);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Timeout };
        try
        {
            using var response = await client.GetAsync(new Uri(address));
            if (response.IsSuccessStatusCode)
            {
                return 0;
            }

            await Console.Error.WriteLineAsync($"{address} answers {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or UriFormatException or NotSupportedException)
        {
            await Console.Error.WriteLineAsync($"{address} does not answer: {failure.Message}");
        }

        return 1;
    }

    /// <summary>On this machine, whatever interface the first of <c>Urls</c> names.</summary>
    private static string Ready(string urls)
    {
        var listening = BindingAddress.Parse(urls.Split(';', StringSplitOptions.TrimEntries)[0]);
        var host = listening.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : listening.Host;
        return $"{listening.Scheme}://{host}:{listening.Port}{listening.PathBase}/health/ready";
    }
}
