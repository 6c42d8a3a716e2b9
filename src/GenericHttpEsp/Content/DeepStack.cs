namespace GenericHttpEsp.Content;

/// <summary>Runs a recursion of known depth on a thread whose stack is known to be large enough, whatever the platform's default and the caller's own depth.</summary>
internal static class DeepStack
{
    private const int Bytes = 16 * 1024 * 1024;

    public static T Run<T>(Func<T> function)
    {
        (T? Value, Exception? Error) outcome = default;
        var thread = new Thread(() => outcome = Attempt(function), Bytes) { Name = "template parser", IsBackground = true };
        thread.Start();
        thread.Join();
        return outcome.Error is null ? outcome.Value! : throw new InvalidOperationException("The parser failed.", outcome.Error);
    }

    private static (T? Value, Exception? Error) Attempt<T>(Func<T> function)
    {
        try
        {
            return (function(), null);
        }
        catch (Exception error)
        {
            return (default, error);
        }
    }
}
