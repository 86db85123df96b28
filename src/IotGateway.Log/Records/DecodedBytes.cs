using System.Buffers;

namespace IotGateway.Log.Records;

/// <summary>
/// What a decoder puts out, never beyond a cap. Either all of it is kept (it grows as needed), or it is handed on to a <see cref="RecordWalk"/>
/// piece by piece and only the window is kept that matches may refer to. Not thread-safe. Give the window back by <see cref="Dispose"/>.
/// </summary>
sealed class DecodedBytes : IDisposable
{
    const int Piece = 32 << 10;

    readonly RecordWalk? _walk;
    readonly long _cap;
    readonly int _window, _most;
    byte[] _bytes;
    int _length, _given;
    long _dropped;

    /// <summary>Keeps all.</summary>
    public DecodedBytes(int cap, int expected)
    {
        (_cap, _most) = (cap, cap);
        _bytes = new byte[Math.Min(cap, Math.Clamp(expected, 256, 1 << 20))];
    }

    /// <summary>Hands on, and keeps at least the last <paramref name="window"/> bytes; at most twice as many.</summary>
    public DecodedBytes(RecordWalk walk, long cap, int window)
    {
        (_walk, _cap, _window, _most) = (walk, cap, window, Math.Max(2 * window, 2 * Piece));
        _bytes = ArrayPool<byte>.Shared.Rent(Piece);
    }

    /// <summary>Bytes put out so far.</summary>
    public long Length => _dropped + _length;

    /// <summary>All of it, where all is kept.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length > Piece; bytes = bytes[Piece..]) bytes[..Piece].CopyTo(Space(Piece));
        bytes.CopyTo(Space(bytes.Length));
    }

    public void Fill(byte value, int count)
    {
        for (; count > Piece; count -= Piece) Space(Piece).Fill(value);
        Space(count).Fill(value);
    }

    /// <summary>Repeats bytes put out <paramref name="distance"/> ago; they may overlap with what they make.</summary>
    /// <exception cref="WindowException">They are no longer kept.</exception>
    public void Repeat(int distance, int count)
    {
        if (distance <= 0 || distance > Length) throw new InvalidDataException("A compressed batch refers to bytes before its start.");
        for (; count > Piece; count -= Piece) RepeatPiece(distance, Piece);
        RepeatPiece(distance, count);
    }

    /// <summary>Hands on what is left.</summary>
    public void Finish()
    {
        _walk!.Take(_bytes.AsSpan(_given, _length - _given));
        _given = _length;
    }

    public void Dispose()
    {
        if (_walk is not null) ArrayPool<byte>.Shared.Return(_bytes);
    }

    void RepeatPiece(int distance, int count)
    {
        var to = Space(count);
        var from = _length - count - distance;
        if (from < 0) throw new WindowException();
        if (distance == 1) to.Fill(_bytes[from]);
        else
            // What was copied already is as good a source as the first: the step grows, in multiples of the distance.
            for (int done = 0, step; done < count; done += step)
            {
                step = Math.Min(count - done, distance + done);
                _bytes.AsSpan(from, step).CopyTo(to[done..]);
            }
    }

    Span<byte> Space(int count)
    {
        if (count > _cap - Length) throw new InvalidDataException($"A compressed batch opens to more than {_cap} bytes.");
        if (_bytes.Length - _length < count) MakeRoom(count);
        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }

    void MakeRoom(int count)
    {
        var needed = _length + (long)count;
        if (_walk is null)
        {
            Array.Resize(ref _bytes, (int)Math.Min(_most, Math.Max(_bytes.Length * 2L, needed)));
            return;
        }
        Finish();
        if (needed <= _most)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(_most, Math.Max(_bytes.Length * 2L, needed)));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
            return;
        }
        var gone = _length - Math.Min(_window, _length);
        _bytes.AsSpan(gone, _length - gone).CopyTo(_bytes);
        _dropped += gone;
        _length = _given = _length - gone;
    }
}
