namespace IotGateway.Broker.Protocol;

/// <summary>What stands before every request's body.</summary>
/// <param name="Key">API; may be one this broker does not know.</param>
/// <param name="Version">Version of the API.</param>
/// <param name="CorrelationId">Repeated in the answer.</param>
/// <param name="ClientId">The client's own name, or null.</param>
internal readonly record struct RequestHeader(ApiKey Key, short Version, int CorrelationId, string? ClientId)
{
    /// <summary>Reads key, version and correlation id, which no version has ever changed.</summary>
    public static RequestHeader ReadStart(ref KafkaReader reader) => new((ApiKey)reader.ReadInt16(), reader.ReadInt16(), reader.ReadInt32(), null);

    /// <summary>Reads the rest. The client id is never compact, also in flexible headers (KIP-511).</summary>
    public RequestHeader ReadRest(ref KafkaReader reader, bool flexible)
    {
        var clientId = reader.ReadNullableString(false, true);
        if (flexible) reader.SkipTags();
        return this with { ClientId = clientId };
    }

    /// <summary>Writes it as a client does.</summary>
    public void Write(KafkaWriter writer, bool flexible)
    {
        writer.WriteInt16((short)Key);
        writer.WriteInt16(Version);
        writer.WriteInt32(CorrelationId);
        writer.WriteString(ClientId, false, true);
        if (flexible) writer.WriteNoTags();
    }
}
