using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// One pass over a JSON body without building a document. Where the records stand is found before (see <see cref="SandboxJsonShape"/>), the
/// rest of the body is read all the same: duplicate keys and broken syntax count wherever they are.
/// </summary>
internal ref struct SandboxJsonBody
{
    private readonly SandboxPaths _paths;
    private readonly SandboxRecords _into;
    private readonly SandboxKeyNames _names = new();
    private readonly SandboxSlot _outside = new();
    private readonly SandboxSlot _inside = new();
    private readonly long _recordsAt;
    private readonly bool _unescapeAll;
    private readonly Span<byte> _scratch;
    private SandboxSlot _slot;
    private Utf8JsonReader _reader;
    private bool _found;

    /// <param name="recordsAt">Offset of the array of records; -1 when the body is one record, or the path tells.</param>
    /// <param name="unescapeAll">Look for leftovers inside escaped strings too: something in the body hides a dollar or a brace.</param>
    public SandboxJsonBody(Utf8JsonReader reader, SandboxPaths paths, SandboxRecords into, long recordsAt, bool unescapeAll, Span<byte> scratch)
    {
        _reader = reader;
        _paths = paths;
        _into = into;
        _recordsAt = recordsAt;
        _unescapeAll = unescapeAll;
        _scratch = scratch;
        _slot = _outside;
    }

    public void Read()
    {
        _reader.Read();
        Value(SandboxJsonScope.Root);
        _reader.Read();
        if (!_found && _paths.Records is null)
        {
            FinishRecord();
        }
        else if (!_found)
        {
            _into.Wrong(400, "nothing stands at the path of the records");
        }
        else if (_inside.MessageId.IsEmpty)
        {
            _into.IdentifyOnly(_inside.Address, _outside.MessageId);
        }
    }

    /// <summary>Whether the object the reader stands on holds a recipient's address.</summary>
    public static bool HoldsAddress(Utf8JsonReader reader, SandboxPaths paths, Span<byte> scratch)
    {
        var probe = new SandboxJsonBody(reader, paths, new(false, false), -1, false, scratch) { _found = true };
        probe.Value(SandboxJsonScope.Record);
        return !probe._slot.Address.IsEmpty;
    }

    private void Value(SandboxJsonScope scope)
    {
        if (!_found && IsRecords(scope))
        {
            Records();
            return;
        }

        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                Members(scope);
                break;
            case JsonTokenType.StartArray:
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                {
                    Value(scope);
                }

                break;
            case JsonTokenType.String or JsonTokenType.Number:
                Text(scope);
                break;
        }
    }

    private readonly bool IsRecords(SandboxJsonScope scope) => _paths.Records is { } path
        ? scope.ToRecords == path.Length
        : _reader.TokenType == JsonTokenType.StartArray && _reader.TokenStartIndex == _recordsAt;

    private void Records()
    {
        _found = true;
        _slot = _inside;
        if (_reader.TokenType != JsonTokenType.StartArray)
        {
            Record();
        }
        else
        {
            while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
            {
                Record();
            }
        }

        _slot = _outside;
        if (_into.Count == 0)
        {
            _into.Wrong(400, "no records");
        }
    }

    private void Record()
    {
        _slot.Clear();
        if (_reader.TokenType == JsonTokenType.String)
        {
            // A record that is a scalar is the address itself.
            if (_reader.ValueSpan.Length <= _scratch.Length)
            {
                _slot.OfferAddress(Unescaped());
            }
        }
        else
        {
            Value(SandboxJsonScope.Record);
        }

        FinishRecord();
    }

    private void FinishRecord()
    {
        if (_slot.Address.IsEmpty)
        {
            _into.Wrong(422, _found ? $"record {_into.Count} has no address" : "no address found");
        }
        else
        {
            _into.Add(_slot.Address, _slot.MessageId);
        }
    }

    private void Members(SandboxJsonScope scope)
    {
        var opened = _names.Open();
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Unescaped();
            if (!_names.TryAdd(opened, name))
            {
                _into.Wrong(400, $"a key is given twice, or an object has over {SandboxKeyNames.KeysMax} keys, before byte {_reader.BytesConsumed}");
            }

            var below = scope.Below(name, _paths);
            _reader.Read();
            Value(below);
        }

        _names.Close(opened);
    }

    private void Text(SandboxJsonScope scope)
    {
        if (_unescapeAll && _reader.ValueIsEscaped && SandboxText.Leftover(UnescapedLong()) is { } leftover)
        {
            _into.Wrong(422, $"{leftover} of an escaped string that ends at byte {_reader.BytesConsumed}");
        }

        if (_reader.ValueSpan.Length > _scratch.Length)
        {
            return;
        }

        var isString = _reader.TokenType == JsonTokenType.String;
        if (isString && (_paths.Address is { } address ? scope.ToAddress == address.Length : scope is { Address: true, NotRecipient: false }))
        {
            _slot.OfferAddress(Unescaped());
        }

        if (_paths.MessageId is { } id)
        {
            if (scope.ToMessageId == id.Length && _slot.MessageId.IsEmpty)
            {
                _slot.TakeMessageId(Unescaped());
            }
        }
        else if (isString && (scope.Kind == SandboxKeyKind.MessageId || _reader.ValueSpan.Contains((byte)'|')))
        {
            _slot.OfferMessageId(Unescaped(), scope.Kind == SandboxKeyKind.MessageId);
        }

        if (isString && _paths.BatchKey is { } key && scope.ToBatchKey == key.Length)
        {
            _into.BatchKey ??= _reader.GetString();
        }
    }

    /// <summary>The name or text as it is meant; good until the next one.</summary>
    private readonly ReadOnlySpan<byte> Unescaped() => !_reader.ValueIsEscaped
        ? _reader.ValueSpan
        : _reader.ValueSpan.Length > _scratch.Length ? UnescapedLong() : _scratch[.._reader.CopyString(_scratch)];

    private readonly byte[] UnescapedLong()
    {
        var copy = new byte[_reader.ValueSpan.Length];
        return copy[.._reader.CopyString(copy)];
    }
}
