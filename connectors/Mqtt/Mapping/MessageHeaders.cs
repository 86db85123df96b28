using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>The headers of a raw message's record: <c>mqtt.topic</c>, <c>mqtt.qos</c>, <c>mqtt.retain</c>, <c>mqtt.dup</c>, and the properties an application gave it.</summary>
static class MessageHeaders
{
    public static IReadOnlyList<Header> Of(PublishPacket packet, MappedTopic topic)
    {
        var common = topic.Headers(packet.Qos, packet.Retain, packet.Dup);
        if (packet.Properties.IsEmpty) return common;
        List<Header>? all = null;
        foreach (var property in packet.Properties)
        {
            var name = property.Id switch
            {
                PropertyId.ContentType => "mqtt.contentType",
                PropertyId.ResponseTopic => "mqtt.responseTopic",
                PropertyId.CorrelationData => "mqtt.correlationData",
                // Under a prefix: a publisher must not be able to write the gateway's own headers.
                PropertyId.UserProperty => "mqtt.user." + Encoding.UTF8.GetString(property.Name.Span),
                _ => null,
            };
            if (name is not null) (all ??= [.. common]).Add(new(name, property.Data));
        }
        return all is null ? common : all;
    }
}
