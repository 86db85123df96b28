using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IotGateway.Log.Disk;

/// <summary>A file by <c>pread</c>, <c>pwrite</c>, <c>pwritev</c> and <c>fdatasync</c>. An interrupted call is repeated, a short one continued.</summary>
sealed unsafe class LinuxFile(SafeFileHandle handle, string path) : IDiskFile
{
    const int SeekEnd = 2;

    public long Length
    {
        get
        {
            var length = Native.Seek(handle, 0, SeekEnd);
            return length >= 0 ? length : throw Native.Failure("Reading the length of", path);
        }
    }

    public int Read(Span<byte> buffer, long position)
    {
        var done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                var got = Native.Read(handle, start + done, (nuint)(buffer.Length - done), position + done);
                if (got == 0) break;
                if (got < 0 && !Interrupted()) throw Native.Failure("Reading", path);
                if (got > 0) done += (int)got;
            }
        }
        return done;
    }

    public void Write(ReadOnlySpan<byte> bytes, long position)
    {
        fixed (byte* start = bytes)
        {
            for (var done = 0; done < bytes.Length;)
            {
                var put = Native.Write(handle, start + done, (nuint)(bytes.Length - done), position + done);
                if (put < 0 && !Interrupted()) throw Native.Failure("Writing", path);
                if (put > 0) done += (int)put;
            }
        }
    }

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long position)
    {
        for (var i = 0; i < parts.Count;)
        {
            var count = Math.Min(parts.Count - i, Native.MaxVectors);
            position += count == 1 ? WriteOne(parts[i].Span, position) : WriteSome(parts, i, count, position);
            i += count;
        }
    }

    int WriteOne(ReadOnlySpan<byte> bytes, long position)
    {
        Write(bytes, position);
        return bytes.Length;
    }

    long WriteSome(IReadOnlyList<ReadOnlyMemory<byte>> parts, int first, int count, long position)
    {
        var pins = ArrayPool<MemoryHandle>.Shared.Rent(count);
        var vectors = stackalloc Native.Vector[count];
        long total = 0, written;
        try
        {
            for (var i = 0; i < count; i++)
            {
                pins[i] = parts[first + i].Pin();
                vectors[i] = new() { Base = pins[i].Pointer, Length = (nuint)parts[first + i].Length };
                total += parts[first + i].Length;
            }
            do written = Native.WriteVectors(handle, vectors, count, position);
            while (written < 0 && Interrupted());
            if (written < 0) throw Native.Failure("Writing", path);
        }
        finally
        {
            for (var i = 0; i < count; i++) pins[i].Dispose();
            ArrayPool<MemoryHandle>.Shared.Return(pins, clearArray: true);
        }
        if (written < total) Finish(parts, first, count, position, written);
        return total;
    }

    // A short gathered write (a nearly full disk): the rest goes part by part, so that the error, if there is one, is reported.
    void Finish(IReadOnlyList<ReadOnlyMemory<byte>> parts, int first, int count, long position, long written)
    {
        for (var i = first; i < first + count; i++)
        {
            var length = parts[i].Length;
            if (written >= length) written -= length;
            else
            {
                Write(parts[i].Span[(int)written..], position + written);
                written = 0;
            }
            position += length;
        }
    }

    public void SetLength(long length)
    {
        while (Native.Truncate(handle, length) != 0)
            if (!Interrupted()) throw Native.Failure("Truncating", path);
    }

    // The kernel keeps an error of such a write for the next fdatasync of whoever has not been told of it: nothing to look at here.
    public void StartWriting(long position, long length) => _ = Native.SyncRange(handle, position, length, Native.StartWriting);

    public void Sync()
    {
        while (Native.DataSync(handle) != 0)
            if (!Interrupted()) throw Native.Failure("Syncing", path);
    }

    public void Dispose() => handle.Dispose();

    static bool Interrupted() => Marshal.GetLastPInvokeError() == Native.Eintr;
}
