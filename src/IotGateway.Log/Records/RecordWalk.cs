namespace IotGateway.Log.Records;

/// <summary>
/// Checks the records of one batch (KIP-98) as they come out of a decoder, in pieces cut anywhere, and keeps none of them: whole records, offset deltas
/// 0, 1, 2 …, exactly as many as the header says, nothing behind them. Notes the times and the records that the topic's rules refuse. Not thread-safe.
/// </summary>
/// <exception cref="RecordFormatException">The records are not what the header says. Found at the first byte that shows it.</exception>
sealed class RecordWalk(in RecordBatch batch, in RecordRules rules)
{
    readonly int _count = batch.Count;
    readonly long _baseTimestamp = batch.BaseTimestamp;
    readonly RecordRules _rules = rules;
    Field _field;
    int _index, _shift;
    ulong _number;
    long _left, _skip, _headers;

    /// <summary>Least and greatest timestamp met.</summary>
    public long MinTimestamp { get; private set; } = long.MaxValue;

    /// <summary>Greatest timestamp met.</summary>
    public long MaxTimestamp { get; private set; } = long.MinValue;

    /// <summary>What the rules have against some records, or null.</summary>
    public RecordRefusals? Refusals { get; private set; }

    enum Field
    {
        Length,
        Attributes,
        Timestamp,
        Offset,
        KeyLength,
        ValueLength,
        HeaderCount,
        NameLength,
        HeaderLength,
    }

    /// <summary>Forgets all: the batch is opened anew.</summary>
    public void Restart()
    {
        (_field, _index, _shift, _number, _left, _skip, _headers) = (Field.Length, 0, 0, 0, 0, 0, 0);
        (MinTimestamp, MaxTimestamp, Refusals) = (long.MaxValue, long.MinValue, null);
    }

    /// <summary>Takes the next bytes.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            if (_skip > 0)
            {
                var step = (int)Math.Min(_skip, bytes.Length - at);
                at += step;
                _skip -= step;
                if (_skip > 0) return;
                EndIfDone();
                continue;
            }
            if (_index == _count) throw Wrong("has bytes behind its last record");
            var b = bytes[at++];
            if (_field != Field.Length && --_left < 0) throw Wrong("has a field that is longer than its record");
            if (_field == Field.Attributes)
            {
                _field = Field.Timestamp; // none are defined
                continue;
            }
            _number |= (ulong)(b & 0x7F) << _shift;
            _shift += 7;
            if (b >= 0x80)
            {
                if (_shift >= 70) throw Wrong("has a number that does not end");
                continue;
            }
            var value = (long)(_number >> 1) ^ -(long)(_number & 1);
            (_number, _shift) = (0, 0);
            Next(value);
        }
    }

    /// <summary>There is no more.</summary>
    public void End()
    {
        if (_index != _count || _field != Field.Length || _shift != 0 || _skip != 0) throw Wrong("ends too early");
    }

    void Next(long value)
    {
        switch (_field)
        {
            case Field.Length:
                if (value <= 0 || value > BatchCheck.MaxOpened) throw Wrong("has a record of an impossible length");
                (_left, _field) = (value, Field.Attributes);
                return;
            case Field.Timestamp:
                var time = unchecked(_baseTimestamp + value);
                (MinTimestamp, MaxTimestamp) = (Math.Min(MinTimestamp, time), Math.Max(MaxTimestamp, time));
                if (_rules.OutOfTime(time)) (Refusals ??= new()).Time(_index, time);
                _field = Field.Offset;
                break;
            case Field.Offset:
                if (value != _index) throw Wrong("has an offset that does not follow the one before");
                _field = Field.KeyLength;
                break;
            case Field.KeyLength:
                if (value < 0 && _rules.NeedsKeys) (Refusals ??= new()).Key(_index);
                Skip(value, Field.ValueLength);
                break;
            case Field.ValueLength:
                Skip(value, Field.HeaderCount);
                break;
            case Field.HeaderCount:
                if (value < 0 || value > _left) throw Wrong("has an impossible number of headers");
                _headers = value;
                _field = Field.NameLength;
                break;
            case Field.NameLength:
                if (value < 0) throw Wrong("has a header without a name");
                Skip(value, Field.HeaderLength);
                break;
            default:
                _headers--;
                Skip(value, Field.NameLength);
                break;
        }
        EndIfDone();
    }

    void Skip(long length, Field next)
    {
        if (length < -1 || length > _left) throw Wrong("has a field that is longer than its record");
        _field = next;
        _skip = Math.Max(0, length);
        _left -= _skip;
    }

    void EndIfDone()
    {
        if (_field != Field.NameLength || _headers > 0 || _skip > 0) return;
        if (_left != 0) throw Wrong("is longer than its fields");
        _field = Field.Length;
        _index++;
    }

    RecordFormatException Wrong(string what) => new($"Record {_index} of {_count} {what}.");
}
