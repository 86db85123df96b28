using System.Text;
using IotGateway.Connectors.Files.Config;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// One followed file, held open by its inode, so that renaming and deleting do not end it. Owned by the source's loop.
/// </summary>
/// <remarks>
/// A line without its end is not given to a batch (but see <see cref="FilesConfig.PartialAfter"/>): the position stays before it and it is
/// read again when the file has grown, so next to nothing is kept in memory per file. Zero bytes where a line should begin are a hole (a
/// writer that kept its position over a truncation, or an unclean shutdown): they are passed over once something follows them.
/// </remarks>
sealed class TailedFile : IDisposable
{
    readonly FileCursor _cursor;
    readonly FilesConfig _config;
    readonly TimeProvider _time;
    int _part;
    long _zeros, _grew;

    public TailedFile(FileCursor cursor, string name, string path, string topic, string gateway, FilesConfig config, TimeProvider time)
    {
        (_cursor, Name, Path, _config, _time) = (cursor, name, path, config, time);
        Topic = FileTemplate.Expand(topic, name, gateway);
        if (config.Key.Length > 0) Key = Encoding.UTF8.GetBytes(FileTemplate.Expand(config.Key, name, gateway));
        NameHeader = Encoding.UTF8.GetBytes(name);
        _grew = time.GetTimestamp();
    }

    /// <summary>Path under which it was first seen; its key and topic come from it.</summary>
    public string Name { get; }

    /// <summary>Path under which it was last seen.</summary>
    public string Path { get; set; }

    public string Topic { get; }
    public ReadOnlyMemory<byte>? Key { get; }
    public ReadOnlyMemory<byte> NameHeader { get; }

    public FileStatus Status => _cursor.Status;

    /// <summary>Whether the last look reached the end.</summary>
    public bool AtEnd { get; private set; }

    /// <summary>Whether it is no longer at a path that is followed: renamed away or deleted.</summary>
    public bool Gone { get; set; }

    /// <summary>Whether its position is not to be kept any more.</summary>
    public bool Forgotten { get; set; }

    /// <summary>Zero bytes passed over so far.</summary>
    public long HoleBytes { get; private set; }

    /// <summary>The file that was at its path before and whose lines come first.</summary>
    public TailedFile? After { get; set; }

    /// <summary>Where the first byte not yet given to a batch is.</summary>
    public long Offset => _cursor.Offset;

    /// <summary>How long it has not grown.</summary>
    public TimeSpan Still => _time.GetElapsedTime(_grew);

    public FilePosition Position(DateTime? goneAt = null) => _cursor.Describe(Name, _part, _time.GetUtcNow().UtcDateTime, goneAt);

    /// <summary>Continues where a kept position says; false when the file is another by now.</summary>
    public bool TryResume(FilePosition position)
    {
        if (!_cursor.TryResume(position)) return false;
        _part = position.Part;
        return true;
    }

    /// <summary>Passes over every complete line there is.</summary>
    public void SkipToEnd()
    {
        Span<byte> block = stackalloc byte[4096];
        for (var end = _cursor.Status.Size; end > 0;)
        {
            var start = Math.Max(0, end - block.Length);
            var n = _cursor.Peek(start, block[..(int)(end - start)]);
            var newline = block[..n].LastIndexOf((byte)'\n');
            if (newline >= 0)
            {
                _cursor.Seek(start + newline + 1);
                return;
            }
            end = start;
        }
    }

    /// <summary>The end seen last may be old.</summary>
    public void LookAgain() => AtEnd = false;

    /// <summary>Gives what is new to the batch. Never waits.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public Look Read(LineBatch batch, Action<TailedFile, long> truncated)
    {
        var before = Status;
        if (!_cursor.TryRefresh())
        {
            Restart(before, truncated);
            batch.Touch(this);
            if (!_cursor.TryRefresh()) return Look.More;
        }
        if (Status.Size != before.Size) _grew = _time.GetTimestamp();
        if (Status.Modified != before.Modified) _zeros = 0;      // written in place: a writer that allocates ahead
        var available = Status.Size - _cursor.Offset;
        if (available <= _zeros)
        {
            AtEnd = true;
            return Look.AtEnd;
        }
        AtEnd = false;
        if (batch.LinesFull) return Look.BatchFull;
        return _zeros > 0 ? PassHole(batch) : ReadLines(batch, available, before, truncated);
    }

    /// <summary>Gives the last line, which has no end and will get none, to the batch. False: no room.</summary>
    public bool Finish(LineBatch batch)
    {
        var rest = (int)Math.Min(Status.Size - _cursor.Offset, _config.MaxLine.Bytes);
        if (rest == 0 || _zeros > 0) return true;
        if (batch.Free.Length < rest + _cursor.Overlap && !batch.TryGrow(rest + _cursor.Overlap)) return false;
        var overlap = _cursor.Overlap;
        var room = batch.Free[..(rest + overlap)];
        if (!_cursor.TryRead(room.Span, out var read) || read == 0) return true;
        batch.Add(this, room.Slice(overlap, read), _cursor.Offset, _part++, Piece.Partial);
        Consume(batch, room.Span[overlap..], overlap, read);
        return true;
    }

    public void Dispose() => _cursor.Dispose();

    Look ReadLines(LineBatch batch, long available, FileStatus before, Action<TailedFile, long> truncated)
    {
        var overlap = _cursor.Overlap;
        var room = batch.Free;
        if (room.Length < Math.Min(available, 4096) + overlap) return Look.BatchFull;
        if (room.Length > available + overlap) room = room[..(int)(available + overlap)];
        if (!_cursor.TryRead(room.Span, out var read))
        {
            Restart(before, truncated);
            batch.Touch(this);
            return Look.More;
        }
        var content = room.Slice(overlap, read);
        var used = Split(batch, content);
        if (used > 0)
        {
            Consume(batch, content.Span, overlap, used);
            return Look.More;
        }
        if (_part == 0 && Zeros(content.Span) is var zeros and > 0)
        {
            _zeros = zeros;
            return PassHole(batch);
        }
        if (read == available) return AtEndNow();
        // A line longer than the room left in the batch.
        var needed = (int)Math.Min(available, _config.MaxLine.Bytes + 2) + overlap;
        return batch.TryGrow(Math.Max(needed, room.Length + 1)) ? Look.More : Look.BatchFull;
    }

    Look AtEndNow()
    {
        AtEnd = true;
        return Look.AtEnd;
    }

    /// <summary>Adds the complete lines, and pieces of overlong ones, to the batch; returns how many bytes they take.</summary>
    int Split(LineBatch batch, ReadOnlyMemory<byte> content)
    {
        var max = (int)_config.MaxLine.Bytes;
        var span = content.Span;
        var at = _cursor.Offset == 0 && span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;      // UTF-8 byte order mark
        while (!batch.LinesFull)
        {
            var rest = span[at..];
            var newline = rest.IndexOf((byte)'\n');
            var zeros = _part == 0 ? Zeros(newline < 0 ? rest : rest[..newline]) : 0;
            if (newline < 0 && zeros == rest.Length) break;
            var length = (newline < 0 ? rest.Length : newline) - zeros;
            if (length > max)
            {
                // One byte more than fits is there, so this is surely not the line's last piece.
                Skipped(zeros);
                batch.Add(this, content.Slice(at + zeros, max), _cursor.Offset + at + zeros, _part++, Piece.More);
                at += zeros + max;
                continue;
            }
            if (newline < 0) break;
            Skipped(zeros);
            var text = length > 0 && rest[newline - 1] == '\r' ? length - 1 : length;
            if (text > 0 || _part == 0) batch.Add(this, content.Slice(at + zeros, text), _cursor.Offset + at + zeros, _part, Piece.Whole);
            _part = 0;
            at += newline + 1;
        }
        return at;
    }

    static int Zeros(ReadOnlySpan<byte> line) => line.IsEmpty || line[0] != 0 ? 0 : line.IndexOfAnyExcept((byte)0) is var n && n < 0 ? line.Length : n;

    void Skipped(int zeros) => HoleBytes += zeros;

    Look PassHole(LineBatch batch)
    {
        Span<byte> block = stackalloc byte[16 << 10];
        while (true)
        {
            var read = _cursor.Peek(_zeros, block);
            if (read == 0) return AtEndNow();
            var data = block[..read].IndexOfAnyExcept((byte)0);
            _zeros += data < 0 ? read : data;
            if (data < 0) continue;
            HoleBytes += _zeros;
            _cursor.Seek(_cursor.Offset + _zeros);
            _zeros = 0;
            batch.Touch(this);
            return Look.More;
        }
    }

    void Consume(LineBatch batch, ReadOnlySpan<byte> content, int overlap, int used)
    {
        _cursor.Advance(content[..used]);
        batch.Take(overlap + used);
        batch.Touch(this);
    }

    void Restart(FileStatus before, Action<TailedFile, long> truncated)
    {
        truncated(this, Math.Max(0, before.Size - _cursor.Offset));
        _cursor.Seek(0);
        (_part, _zeros, AtEnd) = (0, 0, false);
    }
}
