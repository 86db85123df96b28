using System.Buffers.Binary;
using System.Text;

namespace Acceptance.Tests.Interruptions;

/// <summary>Whole MQTT packets out of a stream of bytes, with the little of them the witness needs. Written without the gateway's codec.</summary>
sealed class PacketSplitter
{
    /// <summary>Bytes of the text every payload of the tests is.</summary>
    public const int PayloadLength = 13;

    readonly List<byte> _rest = [];

    /// <summary>Bytes of a packet that is not complete.</summary>
    public int Rest => _rest.Count;

    /// <summary>Packets that are complete now.</summary>
    public IEnumerable<SeenPacket> Add(ReadOnlyMemory<byte> bytes)
    {
        _rest.AddRange(bytes.Span);
        while (_rest.Count >= 2)
        {
            var (body, header) = (0, 1);
            for (var shift = 0; ; shift += 7, header++)
            {
                if (header >= _rest.Count) yield break;
                body |= (_rest[header] & 0x7F) << shift;
                if ((_rest[header] & 0x80) == 0) break;
            }
            header++;
            if (_rest.Count < header + body) yield break;
            var packet = _rest.GetRange(0, header + body).ToArray();
            _rest.RemoveRange(0, header + body);
            yield return Read(packet, header);
        }
    }

    static SeenPacket Read(byte[] packet, int header)
    {
        if (packet[0] >> 4 != 3) return new(packet[0], packet[0] >> 4 is >= 4 and <= 11 ? BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(header)) : (ushort)0, null, packet.Length);
        var id = (packet[0] & 6) == 0 ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(header + 2 + BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(header))));
        return new(packet[0], id, Encoding.ASCII.GetString(packet.AsSpan(packet.Length - PayloadLength)), packet.Length);
    }
}

/// <summary>A packet on its way.</summary>
/// <param name="First">Its first byte.</param>
/// <param name="Id">Packet identifier; 0 where there is none.</param>
/// <param name="Payload">Of a PUBLISH.</param>
/// <param name="Size">All its bytes.</param>
readonly record struct SeenPacket(byte First, ushort Id, string? Payload, int Size)
{
    /// <summary>Control packet type (MQTT 5 §2.1.2).</summary>
    public int Type => First >> 4;

    /// <summary>Of a PUBLISH.</summary>
    public int Qos => First >> 1 & 3;
}
