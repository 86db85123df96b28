using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IotGateway.Log.Disk;

/// <summary>A file read past the page cache (<c>O_DIRECT</c>), through an aligned buffer. For reading only; one caller at a time.</summary>
sealed unsafe class DirectFile : IDiskFile
{
    const int Alignment = 4096, BufferSize = 1 << 20;
    const int SeekEnd = 2;

    readonly SafeFileHandle _handle;
    readonly string _path;
    byte* _buffer;

    public DirectFile(SafeFileHandle handle, string path)
    {
        (_handle, _path) = (handle, path);
        _buffer = (byte*)NativeMemory.AlignedAlloc(BufferSize, Alignment);
    }

    /// <summary>Whether the file system lets it be read so.</summary>
    public bool Works => Native.Read(_handle, _buffer, Alignment, 0) >= 0 || Marshal.GetLastPInvokeError() != Native.Einval;

    public long Length
    {
        get
        {
            var length = Native.Seek(_handle, 0, SeekEnd);
            return length >= 0 ? length : throw Native.Failure("Reading the length of", _path);
        }
    }

    public int Read(Span<byte> buffer, long position)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        for (var done = 0; ;)
        {
            var start = (position + done) & -Alignment;
            var skip = (int)(position + done - start);
            var wanted = (nuint)Math.Min(BufferSize, (skip + buffer.Length - done + Alignment - 1L) & -Alignment);
            nint got;
            do got = Native.Read(_handle, _buffer, wanted, start);
            while (got < 0 && Marshal.GetLastPInvokeError() == Native.Eintr);
            if (got < 0) throw Native.Failure("Reading", _path);
            var count = Math.Min((int)got - skip, buffer.Length - done);
            if (count <= 0) return done;
            new ReadOnlySpan<byte>(_buffer + skip, count).CopyTo(buffer[done..]);
            done += count;
            if (done == buffer.Length) return done;
        }
    }

    public void Write(ReadOnlySpan<byte> bytes, long position) => throw ReadOnly();
    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) => throw ReadOnly();
    public void SetLength(long length) => throw ReadOnly();
    public void Sync() => throw ReadOnly();

    public void Dispose()
    {
        _handle.Dispose();
        NativeMemory.AlignedFree(_buffer);
        _buffer = null;
    }

    InvalidOperationException ReadOnly() => new($"'{_path}' was opened for reading.");
}
