using System.Data.Common;
using GenericHttpEsp.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>What keeps the program from starting and is the operator's to mend: one line, no stack trace. Anything else is a bug and is thrown.</summary>
internal static class StartRefusal
{
    /// <summary>EX_CONFIG of sysexits.h: the same start is refused every time, so a supervisor should not repeat it.</summary>
    public const int NewerSchema = 78;

    private const int Other = 1;

    public static int ExitCode(Exception failure) => failure is NewerSchemaException ? NewerSchema : Other;

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
