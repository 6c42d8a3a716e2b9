using System.Data.Common;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Ids in one column, in the order given: <c>bigint[]</c> on PostgreSQL; on SQLite a blob of zigzag varints, each the difference to the id before it
/// (the first to zero). Consecutive ids take one byte each, where a JSON array would take ten.
/// </summary>
internal static class IdArray
{
    // 64 bits in groups of 7.
    private const int VarintBytesMax = 10;

    /// <summary>The value of the parameter that fills the column.</summary>
    public static object ToColumn(LedgerSession session, ReadOnlySpan<long> ids) => session.IsSqlite ? Pack(ids) : ids.ToArray();

    /// <summary>The ids of the column, in the order they were given.</summary>
    public static long[] FromColumn(LedgerSession session, DbDataReader reader, int ordinal) =>
        session.IsSqlite ? Unpack(reader.GetFieldValue<byte[]>(ordinal)) : reader.GetFieldValue<long[]>(ordinal);

    public static byte[] Pack(ReadOnlySpan<long> ids)
    {
        var room = new byte[ids.Length * VarintBytesMax];
        var length = 0;
        var before = 0L;
        foreach (var id in ids)
        {
            // Differences wrap around on purpose: any two ids have one, and unpacking wraps back.
            var difference = unchecked(id - before);
            var rest = unchecked((ulong)((difference << 1) ^ (difference >> 63)));
            for (; rest >= 0x80; rest >>= 7)
            {
                room[length++] = (byte)(rest | 0x80);
            }

            room[length++] = (byte)rest;
            before = id;
        }

        return room.AsSpan(0, length).ToArray();
    }

    /// <exception cref="InvalidDataException">The blob was not made by <see cref="Pack"/>.</exception>
    public static long[] Unpack(ReadOnlySpan<byte> packed)
    {
        var ids = new long[Count(packed)];
        var before = 0L;
        var at = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            ulong bits = 0;
            for (var shift = 0; ; shift += 7)
            {
                if (shift >= VarintBytesMax * 7)
                {
                    throw new InvalidDataException("An id of a packed column is longer than 64 bits.");
                }

                var part = packed[at++];
                bits |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80)
                {
                    break;
                }
            }

            before = unchecked(before + ((long)(bits >> 1) ^ -(long)(bits & 1)));
            ids[i] = before;
        }

        return ids;
    }

    private static int Count(ReadOnlySpan<byte> packed)
    {
        if (packed.Length > 0 && packed[^1] >= 0x80)
        {
            throw new InvalidDataException("A packed column of ids ends inside an id.");
        }

        var count = 0;
        foreach (var part in packed)
        {
            count += part < 0x80 ? 1 : 0;
        }

        return count;
    }
}
