using GenericHttpEsp.Benchmarks;

// The load driver for the whole: dotnet run -c Release --project tests/GenericHttpEsp.Benchmarks -- --recipients 200000 --batch 1000 --html-kb 5
// The plans of a run on PostgreSQL, from its log: dotnet run -c Release --project tests/GenericHttpEsp.Benchmarks -- plans LOG.json
if (args is ["plans", var log])
{
    Console.WriteLine(PlanReport.Table(PlanReport.Read(File.ReadLines(log))));
    return 0;
}

var options = LoadOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(LoadOptions.Usage);
    return 2;
}

var result = await LoadRun.RunAsync(options, CancellationToken.None);
Console.WriteLine(result.Table());
return result.Accepted + result.Unknown == options.Recipients && result.Problems == 0 ? 0 : 1;
