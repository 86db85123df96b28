using Microsoft.Win32.SafeHandles;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// An open file with a position whose past is known: the first bytes of the file and the bytes just before the position are remembered,
/// and every read checks that they are still there. So a file that was truncated and has already grown past the old position is noticed
/// in the same read that would have mixed old and new. One owner; failures of the disk are <see cref="IOException"/>.
/// </summary>
sealed class FileCursor : IDisposable
{
    readonly SafeFileHandle _file;
    readonly string _path;
    readonly byte[] _head = new byte[FilePosition.HeadBytes], _tail = new byte[FilePosition.TailBytes];
    int _headLength, _tailLength;
    string? _headHash;

    public FileCursor(SafeFileHandle file, string path)
    {
        (_file, _path) = (file, path);
        Status = Native.Stat(file, path);
    }

    /// <summary>The file at the last <see cref="TryRefresh"/>.</summary>
    public FileStatus Status { get; private set; }

    /// <summary>First byte not yet consumed.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes <see cref="TryRead"/> puts before the content.</summary>
    public int Overlap => _tailLength;

    /// <summary>Looks at the file anew; false when what was consumed is no longer its beginning.</summary>
    public bool TryRefresh()
    {
        var now = Native.Stat(_file, _path);
        var changed = now.Size != Status.Size || now.Modified != Status.Modified;
        if (now.Size < Offset) return false;      // Status stays: it knows how much was there
        if (changed && !Holds(0, _head.AsSpan(0, _headLength))) return false;
        if (changed && now.Size == Offset && !Holds(Offset - _tailLength, _tail.AsSpan(0, _tailLength))) return false;
        Status = now;
        return true;
    }

    /// <summary>
    /// Reads what follows the position into <paramref name="buffer"/>, after <see cref="Overlap"/> bytes already consumed; false when those are
    /// no longer the same. <paramref name="read"/> counts the new bytes.
    /// </summary>
    public bool TryRead(Span<byte> buffer, out int read)
    {
        var total = Fill(Offset - _tailLength, buffer);
        read = total - _tailLength;
        return read >= 0 && buffer[.._tailLength].SequenceEqual(_tail.AsSpan(0, _tailLength));
    }

    /// <summary>Reads at a distance from the position, without any check.</summary>
    public int Peek(long ahead, Span<byte> buffer) => Fill(Offset + ahead, buffer);

    /// <summary>The bytes that followed the position are consumed.</summary>
    public void Advance(ReadOnlySpan<byte> consumed)
    {
        if (Offset == _headLength && _headLength < _head.Length)
        {
            var more = Math.Min(consumed.Length, _head.Length - _headLength);
            consumed[..more].CopyTo(_head.AsSpan(_headLength));
            _headLength += more;
            _headHash = null;
        }
        if (consumed.Length >= _tail.Length) consumed[^_tail.Length..].CopyTo(_tail);
        else
        {
            var kept = Math.Min(_tailLength, _tail.Length - consumed.Length);
            _tail.AsSpan(_tailLength - kept, kept).CopyTo(_tail);
            consumed.CopyTo(_tail.AsSpan(kept));
        }
        _tailLength = Math.Min(_tail.Length, _tailLength + consumed.Length);
        Offset += consumed.Length;
    }

    /// <summary>Goes to a position, taking what lies before it on trust.</summary>
    public void Seek(long offset)
    {
        Offset = offset;
        _headLength = Fill(0, _head.AsSpan(0, (int)Math.Min(_head.Length, offset)));
        _tailLength = Fill(Math.Max(0, offset - _tail.Length), _tail.AsSpan(0, (int)Math.Min(_tail.Length, offset)));
        _headHash = null;
    }

    /// <summary>Goes to a kept position if the file still is what it was; else stays at the beginning.</summary>
    public bool TryResume(FilePosition position)
    {
        if (position.Offset > Status.Size) return false;
        Seek(position.Offset);
        if (_headLength >= position.HeadLength && _tailLength >= position.TailLength
            && FilePosition.Hash(_head.AsSpan(0, position.HeadLength)) == position.Head
            && FilePosition.Hash(_tail.AsSpan(_tailLength - position.TailLength, position.TailLength)) == position.Tail) return true;
        Seek(0);
        return false;
    }

    /// <summary>The position with what identifies the file and its past.</summary>
    public FilePosition Describe(string name, int part, DateTime at, DateTime? goneAt) => new()
    {
        Device = Status.Device, Inode = Status.Inode, Born = Status.Born, Path = name, Offset = Offset, Part = part,
        HeadLength = _headLength, Head = _headHash ??= FilePosition.Hash(_head.AsSpan(0, _headLength)),
        TailLength = _tailLength, Tail = FilePosition.Hash(_tail.AsSpan(0, _tailLength)), At = at, GoneAt = goneAt,
    };

    public void Dispose() => _file.Dispose();

    bool Holds(long offset, ReadOnlySpan<byte> expected)
    {
        Span<byte> found = stackalloc byte[FilePosition.HeadBytes];
        return Fill(offset, found[..expected.Length]) == expected.Length && found[..expected.Length].SequenceEqual(expected);
    }

    int Fill(long offset, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var n = RandomAccess.Read(_file, buffer[total..], offset + total);
            if (n == 0) break;
            total += n;
        }
        return total;
    }
}
