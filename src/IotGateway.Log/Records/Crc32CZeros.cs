namespace IotGateway.Log.Records;

/// <summary>
/// What following zeros make of a CRC-32C, for any number of them: the checksum is linear over GF(2), so that each power of two of zeros is a matrix of
/// 32 columns, the square of the one before. Joins checksums of neighbouring bytes without reading them again, as zlib's crc32_combine does. Stateless.
/// </summary>
static class Crc32CZeros
{
    static readonly uint[][] Powers = Squares();

    /// <summary>The checksum after so many zero bytes.</summary>
    public static uint After(uint crc, int count)
    {
        for (var power = 0; count != 0; power++, count >>>= 1)
            if ((count & 1) != 0) crc = Times(Powers[power], crc);
        return crc;
    }

    static uint[][] Squares()
    {
        var powers = new uint[31][];
        powers[0] = Columns(column => Crc32C.InTurn(column, [0]));
        for (var i = 1; i < powers.Length; i++)
        {
            var half = powers[i - 1];
            powers[i] = Columns(column => Times(half, Times(half, column)));
        }
        return powers;
    }

    static uint[] Columns(Func<uint, uint> made)
    {
        var columns = new uint[32];
        for (var bit = 0; bit < columns.Length; bit++) columns[bit] = made(1u << bit);
        return columns;
    }

    static uint Times(uint[] matrix, uint vector)
    {
        var product = 0u;
        for (var bit = 0; vector != 0; bit++, vector >>>= 1)
            if ((vector & 1) != 0) product ^= matrix[bit];
        return product;
    }
}
