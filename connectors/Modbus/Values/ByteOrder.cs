namespace IotGateway.Connectors.Modbus.Values;

/// <summary>
/// The order of a value's bytes on the wire. AP §4.2 fixes big-endian within a register and says nothing of longer values, so
/// devices differ in two independent ways: registers swapped, and bytes swapped within each register. The letters (A = most
/// significant) are names of these: ABCD neither, CDAB registers, BADC bytes, DCBA both. Text and octets know only swapped bytes.
/// </summary>
/// <param name="WordsSwapped">The least significant register comes first.</param>
/// <param name="BytesSwapped">The less significant byte of a register comes first.</param>
internal readonly record struct ByteOrder(bool WordsSwapped, bool BytesSwapped)
{
    /// <summary>All letters accepted, for error messages and the schema.</summary>
    public const string Pattern = "^(AB|BA|ABCD|CDAB|BADC|DCBA|ABCDEFGH|GHEFCDAB|BADCFEHG|HGFEDCBA)$";

    /// <summary>Big-endian throughout.</summary>
    public static ByteOrder Abcd => default;

    /// <summary>Reads the letters of any width; false when they are none of the ten.</summary>
    public static bool TryParse(string letters, out ByteOrder order)
    {
        (var known, order) = letters switch
        {
            "AB" or "ABCD" or "ABCDEFGH" => (true, new ByteOrder(false, false)),
            "CDAB" or "GHEFCDAB" => (true, new ByteOrder(true, false)),
            "BA" or "BADC" or "BADCFEHG" => (true, new ByteOrder(false, true)),
            "DCBA" or "HGFEDCBA" => (true, new ByteOrder(true, true)),
            _ => (false, default),
        };
        return known;
    }

    /// <summary>Brings wire bytes into big-endian order, or back: its own inverse. An even number of bytes.</summary>
    public void Swap(Span<byte> bytes)
    {
        if (WordsSwapped && BytesSwapped) bytes.Reverse();
        else if (WordsSwapped || BytesSwapped)
        {
            // Reversing the bytes of a reversed whole gives swapped words; of the original, swapped bytes.
            if (WordsSwapped) bytes.Reverse();
            for (var i = 0; i + 1 < bytes.Length; i += 2) (bytes[i], bytes[i + 1]) = (bytes[i + 1], bytes[i]);
        }
    }
}
