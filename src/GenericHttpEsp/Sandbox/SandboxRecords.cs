using System.Text;

namespace GenericHttpEsp.Sandbox;

/// <summary>What was found in one body: its records in order, or what is wrong with it.</summary>
/// <param name="keep">False counts only.</param>
/// <param name="refuseForeignMeta">See <see cref="SandboxBehaviour.RefuseForeignMeta"/>.</param>
internal sealed class SandboxRecords(bool keep, bool refuseForeignMeta)
{
    public List<string> Addresses { get; } = [];

    /// <summary>Parallel to the addresses; null for a record without one.</summary>
    public List<string?> MessageIds { get; } = [];

    public int Count { get; private set; }

    public string? BatchKey { get; set; }

    public int ProblemStatus { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>The first problem is the one told: later ones often follow from it.</summary>
    public void Wrong(int status, string problem)
    {
        if (Problem is null)
        {
            ProblemStatus = status;
            Problem = problem;
        }
    }

    public void Add(ReadOnlySpan<byte> address, ReadOnlySpan<byte> messageId)
    {
        Judge(Count, address, messageId);
        Count++;
        if (keep)
        {
            Addresses.Add(Encoding.UTF8.GetString(address));
            MessageIds.Add(messageId.IsEmpty ? null : Encoding.UTF8.GetString(messageId));
        }
    }

    /// <summary>The only record may have its message id outside of the record, e.g. in the headers of a request for one.</summary>
    public void IdentifyOnly(ReadOnlySpan<byte> address, ReadOnlySpan<byte> messageId)
    {
        if (Count == 1 && !messageId.IsEmpty)
        {
            Judge(0, address, messageId);
            if (keep)
            {
                MessageIds[0] = Encoding.UTF8.GetString(messageId);
            }
        }
    }

    private void Judge(int record, ReadOnlySpan<byte> address, ReadOnlySpan<byte> messageId)
    {
        if (refuseForeignMeta && SandboxText.TryMeta(messageId, out var named) && !SandboxText.SameAddress(named, address))
        {
            Wrong(422, $"record {record}: its meta names another address");
        }
    }
}
