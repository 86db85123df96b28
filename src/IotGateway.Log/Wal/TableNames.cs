using System.Text;

namespace IotGateway.Log.Wal;

/// <summary>Table names by their bytes, made once each: a put must not cost a string. Thread-safe.</summary>
static class TableNames
{
    static readonly Lock Gate = new();
    static (byte[] Bytes, string Name)[] s_known = [];

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        foreach (var (known, name) in s_known)
            if (bytes.SequenceEqual(known)) return name;
        lock (Gate)
        {
            var name = Encoding.UTF8.GetString(bytes);
            if (s_known.Length < 64) s_known = [.. s_known, (bytes.ToArray(), name)];
            return name;
        }
    }
}
