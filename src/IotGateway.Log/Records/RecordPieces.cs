namespace IotGateway.Log.Records;

/// <summary>
/// The records of one batch in pieces of whole records. Uncompressed they are one piece, the batch's own memory. Compressed ones are opened as they are
/// asked for: a piece is memory of its own of about 64 KiB, more only where one record is larger; what decoding holds besides is bounded by
/// <see cref="Decompressor.Memory"/>, or twice 8 MiB where the batch itself refers so far back. Not thread-safe.
/// </summary>
/// <param name="compression">Of the records.</param>
/// <param name="records">The records as they stand in the batch.</param>
/// <param name="cap">Most they may open to.</param>
/// <param name="reuse">Whether a piece is only good until the next.</param>
/// <exception cref="InvalidDataException">The records cannot be opened, or open to more than the cap.</exception>
sealed class RecordPieces(Compression compression, ReadOnlyMemory<byte> records, int cap, bool reuse = false) : IDisposable
{
    const int Piece = 64 << 10;

    int _window = Decompressor.FirstWindow(compression, records.Length);
    Unpacker? _unpacker;
    DecodedBytes? _decoded;
    long _taken;
    byte[] _piece = [];
    bool _atEnd;

    /// <summary>The records stepped on.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>Steps to the next records; false after the last.</summary>
    public bool MoveNext()
    {
        if (_atEnd) return false;
        if (compression == Compression.None)
        {
            (Current, _atEnd) = (records, true);
            return !records.IsEmpty;
        }
        if (_decoded is null) Open();
        while (true)
        {
            var (whole, next) = Whole(_decoded!.Waiting);
            if (whole > 0)
            {
                Current = Take(whole);
                return true;
            }
            if (next > Piece)
            {
                Current = Large(next);
                return true;
            }
            if (More()) continue;
            _atEnd = true;
            if (_decoded.Waiting.IsEmpty) return false;
            throw new InvalidDataException("The last record of a compressed batch is cut off.");
        }
    }

    public void Dispose()
    {
        _unpacker?.Dispose();
        _decoded?.Dispose();
        (_unpacker, _decoded, _atEnd) = (null, null, true);
    }

    void Open()
    {
        _unpacker = Unpacker.Of(compression, records);
        _decoded = new(null, cap, _window);
    }

    bool More()
    {
        try
        {
            return _unpacker!.Step(_decoded!);
        }
        catch (WindowException) when (Decompressor.NextWindow(_window) is { } larger)
        {
            _window = larger;
            Again();
            return true;
        }
        catch (WindowException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    // From the start, up to where it was.
    void Again()
    {
        _unpacker!.Dispose();
        _decoded!.Dispose();
        Open();
        for (var skip = _taken; skip > 0;)
        {
            if (_decoded.Waiting.IsEmpty && !_unpacker.Step(_decoded)) throw new InvalidDataException("A compressed batch is not the same twice.");
            var step = (int)Math.Min(skip, _decoded.Waiting.Length);
            _decoded.Took(step);
            skip -= step;
        }
    }

    /// <summary>Bytes of the whole records that are there, a piece at most; and how long the first is where it is not whole or larger than a piece, if that is known.</summary>
    static (int Whole, long Next) Whole(ReadOnlySpan<byte> waiting)
    {
        var whole = 0;
        while (whole < waiting.Length)
        {
            var at = whole;
            if (!Varint.TryRead(waiting, ref at, out var length))
            {
                if (waiting.Length - whole >= Varint.Longest) throw new InvalidDataException("A record of a compressed batch has no length.");
                return (whole, 0);
            }
            if (length is < 0 or > int.MaxValue) throw new InvalidDataException("A record of a compressed batch has an impossible length.");
            var end = at + length;
            if (end > waiting.Length || (whole > 0 && end > Piece)) return (whole, end - whole);
            whole = (int)end;
            if (whole >= Piece) break;
        }
        return (whole, 0);
    }

    ReadOnlyMemory<byte> Take(int count)
    {
        if (!reuse || _piece.Length < count) _piece = new byte[reuse ? Math.Max(count, Math.Min(2 * count, 2 * Piece)) : count];
        _decoded!.Waiting[..count].CopyTo(_piece);
        _decoded.Took(count);
        _taken += count;
        return _piece.AsMemory(0, count);
    }

    // Its memory grows with what comes, not with what it says of itself.
    ReadOnlyMemory<byte> Large(long length)
    {
        if (length > cap) throw new InvalidDataException($"A record of a compressed batch is larger than {cap} bytes.");
        if (!reuse) _piece = [];
        for (var at = 0; at < length;)
        {
            if (_decoded!.Waiting.IsEmpty && !More()) throw new InvalidDataException("The last record of a compressed batch is cut off.");
            var step = (int)Math.Min(length - at, _decoded.Waiting.Length);
            if (at + step > _piece.Length) Array.Resize(ref _piece, (int)Math.Min(length, Math.Max(_piece.Length * 2L, Math.Max(at + step, 2 * Piece))));
            _decoded.Waiting[..step].CopyTo(_piece.AsSpan(at));
            _decoded.Took(step);
            _taken += step;
            at += step;
        }
        return _piece.AsMemory(0, (int)length);
    }
}
