namespace GenericHttpEsp.Sandbox;

/// <summary>The address and the message id of the record being read, copied out of the body (where they may be escaped). Reused by all records.</summary>
internal sealed class SandboxSlot
{
    private readonly byte[] _address = new byte[SandboxText.CandidateMax];
    private readonly byte[] _messageId = new byte[SandboxText.CandidateMax];
    private int _addressLength;
    private int _messageIdLength;
    private bool _isMeta;

    public ReadOnlySpan<byte> Address => _address.AsSpan(0, _addressLength);

    public ReadOnlySpan<byte> MessageId => _messageId.AsSpan(0, _messageIdLength);

    public void Clear()
    {
        _addressLength = 0;
        _messageIdLength = 0;
        _isMeta = false;
    }

    /// <summary>The first address counts.</summary>
    public void OfferAddress(ReadOnlySpan<byte> text)
    {
        if (_addressLength == 0 && SandboxText.TryAddress(text, out var address))
        {
            address.CopyTo(_address);
            _addressLength = address.Length;
        }
    }

    /// <summary>The first text that is a meta string counts; without one, the first under a telling key.</summary>
    public void OfferMessageId(ReadOnlySpan<byte> text, bool underTellingKey)
    {
        if (_isMeta || text.Length > SandboxText.CandidateMax)
        {
            return;
        }

        var isMeta = SandboxText.TryMeta(text, out _);
        if (isMeta || (underTellingKey && _messageIdLength == 0))
        {
            TakeMessageId(text);
            _isMeta = isMeta;
        }
    }

    /// <summary>What stands at the configured path counts, whatever it looks like.</summary>
    public void TakeMessageId(ReadOnlySpan<byte> text)
    {
        if (text.Length <= SandboxText.CandidateMax)
        {
            text.CopyTo(_messageId);
            _messageIdLength = text.Length;
        }
    }
}
