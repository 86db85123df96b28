using Google.Protobuf;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>Parses payloads within bounds. Pure, thread-safe.</summary>
static class PayloadReader
{
    static readonly MessageParser<Payload> Parser = Payload.Parser.WithDiscardUnknownFields(true);

    /// <summary>The payload of a message about an edge node or device, out of its compression where it has one.</summary>
    /// <exception cref="PayloadException">It is none, or too much.</exception>
    public static Payload Read(ReadOnlyMemory<byte> bytes)
    {
        var payload = Parse(bytes);
        if (CompressedPayload.Is(payload))
        {
            payload = Parse(CompressedPayload.Open(payload));
            if (CompressedPayload.Is(payload)) throw new PayloadException("The payload is compressed twice.");
        }
        if (payload.HasSeq && payload.Seq > 255) throw new PayloadException("The sequence number is above 255.");
        return payload;
    }

    static Payload Parse(ReadOnlyMemory<byte> bytes)
    {
        PayloadGuard.Check(bytes.Span);
        try
        {
            return Parser.ParseFrom(bytes.Span);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentException or IndexOutOfRangeException)
        {
            // Index out of range: Google.Protobuf 3.25.1 looks one byte too far where a nested message is cut short (found by fuzzing).
            throw new PayloadException("The payload is no Sparkplug B payload: " + (e is InvalidProtocolBufferException ? e.Message : "it is cut short."), e);
        }
    }
}
