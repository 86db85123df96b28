using System.Buffers.Binary;
using IotGateway.Log.Bytes;
using IotGateway.Log.Disk;
using IotGateway.Log.Records;

namespace IotGateway.Log.Recovery;

/// <summary>
/// The checkpoint, file <c>state</c>: all that is in memory as of a frame, replaced as a whole. Format version 4, little-endian:
/// magic u64 · version i32 · length i64 of the body · CRC-32C u32 of the body · body. The body is laid down in <see cref="StateBody"/>.
/// Invariants: everything it refers to was synced before it was put in place (write beside, sync, rename, sync the directory); it never refers to
/// frames above its sequence. The one before keeps a name, <c>state.previous</c>: should rot take this one, a repair begins there.
/// </summary>
static class StateFile
{
    public const string Name = "state";
    public const string Previous = "state.previous";
    const ulong Magic = 0x45_54_41_54_53_47_4F_49; // "IOGSTATE"
    const int Version = 4, HeaderSize = 24;

    public static void Replace(IDisk disk, string directory, ReadOnlySpan<byte> body)
    {
        var path = Path.Combine(directory, Name);
        var beside = path + ".new";
        Span<byte> header = stackalloc byte[HeaderSize];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(header[12..], body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], Crc32C.Of(body));
        using (var file = disk.Open(beside, create: true))
        {
            file.SetLength(0);
            file.Write(header, 0);
            file.Write(body, HeaderSize);
            file.Sync();
        }
        KeepPrevious(disk, directory, path);
        disk.Rename(beside, path);
        disk.SyncDirectory(directory);
    }

    static void KeepPrevious(IDisk disk, string directory, string path)
    {
        const int eperm = 1, enotsup = 95;
        if (!disk.Exists(path)) return;
        var previous = Path.Combine(directory, Previous);
        disk.Delete(previous);
        try
        {
            disk.Link(path, previous);
        }
        catch (DiskException e) when (e.Errno is eperm or enotsup)
        {
            // A file system without second names: there is none then.
        }
    }

    /// <summary>The body; null when there is no state file.</summary>
    /// <exception cref="LogFormatException">It is damaged or of a newer version.</exception>
    public static byte[]? Read(IDisk disk, string directory, string name = Name)
    {
        var path = Path.Combine(directory, name);
        if (!disk.Exists(path)) return null;
        using var file = disk.Open(path, create: false);
        var header = new byte[HeaderSize];
        if (file.Read(header, 0) < HeaderSize || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic) throw Damaged(path);
        var version = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8));
        if (version != Version)
            throw new LogFormatException($"'{path}' has format version {version}; this program reads {Version}. Use the version that wrote it.");
        var length = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(12));
        if (length < 0 || length != file.Length - HeaderSize) throw Damaged(path);
        var body = new byte[length];
        return file.Read(body, HeaderSize) == length && Crc32C.Of(body) == BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(20))
            ? body
            : throw Damaged(path);
    }

    static LogFormatException Damaged(string path)
        => new($"'{path}' is damaged. Nothing was changed; restore it from a backup or run 'gateway log repair'.");
}
