namespace IotGateway.Log.Disk;

/// <summary>Copies and compares parts of files in pieces. Stateless.</summary>
static class FileCopy
{
    const int Piece = 1 << 20;

    /// <summary>Copies a range to the start of another file; ends where the source does.</summary>
    public static void Copy(IDiskFile source, long from, long to, IDiskFile target)
    {
        var buffer = new byte[(int)Math.Clamp(to - from, 1, Piece)];
        for (var position = from; position < to;)
        {
            var got = source.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - position)), position);
            if (got == 0) return;
            target.Write(buffer.AsSpan(0, got), position - from);
            position += got;
        }
    }

    /// <summary>Whether both files have the same first bytes.</summary>
    public static bool AreSame(IDiskFile one, IDiskFile other, long length)
    {
        var size = (int)Math.Clamp(length, 1, Piece);
        var (left, right) = (new byte[size], new byte[size]);
        for (long position = 0; position < length; position += size)
        {
            var wanted = (int)Math.Min(size, length - position);
            if (one.Read(left.AsSpan(0, wanted), position) != wanted || other.Read(right.AsSpan(0, wanted), position) != wanted) return false;
            if (!left.AsSpan(0, wanted).SequenceEqual(right.AsSpan(0, wanted))) return false;
        }
        return true;
    }
}
