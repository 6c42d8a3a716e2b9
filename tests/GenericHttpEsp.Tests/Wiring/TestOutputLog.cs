using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>What the application warns of, in the output of the test that started it: the console of a test that fails tells why.</summary>
internal sealed class TestOutputLog : ILoggerProvider
{
    private const int LinesMax = 200;
    private readonly ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;
    private int _lines;

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void Dispose()
    {
    }

    private void Write(string line)
    {
        if (Interlocked.Increment(ref _lines) > LinesMax)
        {
            return;
        }

        try
        {
            _output?.WriteLine(line);
        }
        catch (InvalidOperationException)
        {
            // The test is over; the application ends behind it.
            _lines = LinesMax;
        }
    }

    private sealed class Category(TestOutputLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write($"{TimeProvider.System.GetUtcNow():mm:ss.fff} {logLevel} {name}: {formatter(state, exception)} {exception}");
            }
        }
    }
}
