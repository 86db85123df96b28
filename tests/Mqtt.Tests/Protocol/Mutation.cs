namespace IotGateway.Tests.Mqtt.Protocol;

/// <summary>Small damage to a packet, mostly with a length that is right again, so that it reaches deeper.</summary>
static class Mutation
{
    public static byte[] Of(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                case 3 when bytes.Count > 2: bytes.RemoveAt(at); break;
                default: bytes[at] = (byte)(random.Next(2) * 255); break;
            }
        }
        if (random.Next(4) != 0 && bytes.Count is > 2 and < 130) bytes[1] = (byte)(bytes.Count - 2); // a right length lets mutations reach deeper
        return [.. bytes];
    }
}
