using Google.Protobuf;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Parses payloads within bounds. Pure, thread-safe.</summary>
static class PayloadReader
{
    const string Compressed = "SPBV1.0_COMPRESSED"; // how Eclipse Tahu's libraries mark a payload within a payload

    static readonly MessageParser<Payload> Parser = Payload.Parser.WithDiscardUnknownFields(true);

    /// <summary>The payload of a message about an edge node or device.</summary>
    /// <exception cref="PayloadException">It is none, or too much.</exception>
    public static Payload Read(ReadOnlyMemory<byte> bytes)
    {
        PayloadGuard.Check(bytes.Span);
        Payload payload;
        try
        {
            payload = Parser.ParseFrom(bytes.Span);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentException or IndexOutOfRangeException)
        {
            // Index out of range: Google.Protobuf 3.25.1 looks one byte too far where a nested message is cut short (found by fuzzing).
            throw new PayloadException("The payload is no Sparkplug B payload: " + (e is InvalidProtocolBufferException ? e.Message : "it is cut short."), e);
        }
        if (payload.Uuid == Compressed) throw new PayloadException("The payload is compressed, which the Sparkplug specification does not provide for. Switch compression off at the edge node.");
        if (payload.HasSeq && payload.Seq > 255) throw new PayloadException("The sequence number is above 255.");
        return payload;
    }
}
