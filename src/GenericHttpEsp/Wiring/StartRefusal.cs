using System.Data.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>What keeps the program from starting and is the operator's to mend: one line, no stack trace. Anything else is a bug and is thrown.</summary>
internal static class StartRefusal
{
    public static string? Explain(Exception failure) => failure switch
    {
        OptionsValidationException invalid => string.Join(' ', invalid.Failures),
        InvalidOperationException { TargetSite.DeclaringType.Assembly: var assembly } own when assembly == typeof(StartRefusal).Assembly => own.Message,
        DbException database => $"The database cannot be used: {database.Message}",
        UnauthorizedAccessException or IOException or AddressInUseException => failure.Message,
        FormatException or InvalidDataException => failure.Message,
        _ => failure.InnerException is { } inner ? Explain(inner) : null,
    };
}
