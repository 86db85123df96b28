namespace IotGateway.Broker.Protocol;

/// <summary>A part of a message that reads and writes itself in any version of the message.</summary>
internal interface IKafkaStruct<T> where T : IKafkaStruct<T>
{
    /// <summary>Reads one. Fields the version does not have keep their defaults.</summary>
    static abstract T Read(ref KafkaReader reader, short version);

    /// <summary>Writes it. Fields the version does not have are left out.</summary>
    void Write(KafkaWriter writer, short version);
}

/// <summary>Body of a request or response. Memory in it is a slice of the frame it was read from.</summary>
internal interface IKafkaMessage<T> : IKafkaStruct<T> where T : IKafkaMessage<T>
{
    /// <summary>The API it belongs to.</summary>
    static abstract ApiKey Api { get; }

    /// <summary>Lowest version the codec knows.</summary>
    static abstract short LowestVersion { get; }

    /// <summary>Highest version the codec knows.</summary>
    static abstract short HighestVersion { get; }

    /// <summary>First version with compact encodings and tagged fields (KIP-482).</summary>
    static abstract short FlexibleFrom { get; }
}
