using System.Buffers;

namespace IotGateway.Log.Records;

/// <summary>
/// What a decoder puts out, never beyond a cap. Either all of it is kept (it grows as needed), or only the window that matches may refer to, and what is
/// not handed on yet: to a <see cref="RecordWalk"/> piece by piece, or to whoever takes it. Not thread-safe. Give the window back by <see cref="Dispose"/>.
/// </summary>
sealed class DecodedBytes : IDisposable
{
    const int Piece = 32 << 10;

    readonly RecordWalk? _walk;
    readonly bool _keepsAll;
    readonly long _cap;
    readonly int _window, _most;
    byte[] _bytes;
    int _length, _given;
    long _dropped;

    /// <summary>Keeps all.</summary>
    public DecodedBytes(int cap, int expected)
    {
        (_cap, _most, _keepsAll) = (cap, cap, true);
        _bytes = new byte[Math.Min(cap, Math.Clamp(expected, 256, 1 << 20))];
    }

    /// <summary>Hands on to the walk, or without one keeps until it is taken; of what is, it keeps at least the last <paramref name="window"/> bytes, at most twice as many.</summary>
    public DecodedBytes(RecordWalk? walk, long cap, int window)
    {
        (_walk, _cap, _window, _most) = (walk, cap, window, Math.Max(2 * window, 2 * Piece));
        _bytes = ArrayPool<byte>.Shared.Rent(Piece);
    }

    /// <summary>Bytes put out so far.</summary>
    public long Length => _dropped + _length;

    /// <summary>Whether more was put out than the cap allows, which is why it ended.</summary>
    public bool IsFull { get; private set; }

    /// <summary>All of it, where all is kept.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    /// <summary>What is not taken yet; good until more is put out.</summary>
    public ReadOnlySpan<byte> Waiting => _bytes.AsSpan(_given, _length - _given);

    /// <summary>So much of what waits is taken.</summary>
    public void Took(int count) => _given += count;

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
        if (!_keepsAll) ArrayPool<byte>.Shared.Return(_bytes);
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
        if (count > _cap - Length)
        {
            IsFull = true;
            throw new InvalidDataException($"A compressed batch opens to more than {_cap} bytes.");
        }
        if (_bytes.Length - _length < count) MakeRoom(count);
        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }

    void MakeRoom(int count)
    {
        var needed = _length + (long)count;
        if (_keepsAll)
        {
            Array.Resize(ref _bytes, (int)Math.Min(_most, Math.Max(_bytes.Length * 2L, needed)));
            return;
        }
        if (_walk is not null) Finish();
        if (needed > _most)
        {
            var gone = Math.Min(_given, Math.Max(0, _length - _window));
            _bytes.AsSpan(gone, _length - gone).CopyTo(_bytes);
            _dropped += gone;
            (_length, _given) = (_length - gone, _given - gone);
            needed = _length + (long)count;
            if (needed <= _bytes.Length) return;
        }
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(needed, Math.Min(_most, _bytes.Length * 2L)));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
