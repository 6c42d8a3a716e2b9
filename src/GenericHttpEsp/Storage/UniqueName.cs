using Microsoft.Data.Sqlite;
using Npgsql;

namespace GenericHttpEsp.Storage;

/// <summary>Recognises the refusal of the unique index over the names of grain states.</summary>
internal static class UniqueName
{
    private const int SqliteConstraintUnique = 2067;

    public static bool Refused(Exception failure)
    {
        for (var current = failure; current is not null; current = current.InnerException!)
        {
            if (current is SqliteException { SqliteExtendedErrorCode: SqliteConstraintUnique } or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                return true;
            }
        }

        return false;
    }
}
