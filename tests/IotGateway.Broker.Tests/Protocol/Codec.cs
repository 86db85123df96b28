using System.Reflection;
using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Tests.Protocol;

/// <summary>One message type's codec without its type parameter, so that a test can go over all of them.</summary>
abstract class Codec
{
    public static IReadOnlyList<Codec> All { get; } =
    [
        .. typeof(IKafkaMessage<>).Assembly.GetTypes()
            .Where(t => t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IKafkaMessage<>)))
            .OrderBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => (Codec)Activator.CreateInstance(typeof(Codec<>).MakeGenericType(t))!),
    ];

    public abstract Type Message { get; }

    public abstract ApiKey Api { get; }

    public abstract bool IsFlexible(short version);

    public abstract IEnumerable<short> Versions { get; }

    public abstract object Read(ReadOnlyMemory<byte> bytes, short version, out int left);

    public abstract byte[] Write(object message, short version);

    public override string ToString() => Message.Name;
}

sealed class Codec<T> : Codec where T : IKafkaMessage<T>
{
    public override Type Message => typeof(T);

    public override ApiKey Api => T.Api;

    public override bool IsFlexible(short version) => version >= T.FlexibleFrom;

    public override IEnumerable<short> Versions => Enumerable.Range(T.LowestVersion, T.HighestVersion - T.LowestVersion + 1).Select(v => (short)v);

    public override object Read(ReadOnlyMemory<byte> bytes, short version, out int left)
    {
        var reader = new KafkaReader(bytes);
        var message = T.Read(ref reader, version);
        left = reader.Remaining;
        return message;
    }

    public override byte[] Write(object message, short version)
    {
        using var writer = new KafkaWriter(16);
        ((T)message).Write(writer, version);
        return writer.ToArray();
    }
}
