using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Mqtt.Commands;

/// <summary>A command's payload. Pure.</summary>
static class CommandText
{
    public static ReadOnlyMemory<byte> Json(Command command, string id)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var w = new Utf8JsonWriter(buffer))
        {
            w.WriteStartObject();
            w.WriteString("id", id);
            w.WriteString("command", command.Id);
            w.WriteString("device", command.Device);
            w.WriteString("tag", command.Tag);
            w.WritePropertyName("value");
            Write(w, command.Value);
            w.WriteString("deadline", command.Deadline.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            w.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> Plain(Command command) => Encoding.UTF8.GetBytes(command.Value.ToString());

    static void Write(Utf8JsonWriter w, Value value)
    {
        switch (value.Type)
        {
            case DataType.Bool: w.WriteBooleanValue(value.AsBool); break;
            case DataType.Float32: w.WriteNumberValue(value.AsFloat32); break;
            case DataType.Float64: w.WriteNumberValue(value.AsDouble); break;
            case DataType.Decimal: w.WriteNumberValue(value.AsDecimal); break;
            case DataType.UInt64: w.WriteNumberValue(value.AsUInt64); break;
            case DataType.Int8 or DataType.Int16 or DataType.Int32 or DataType.Int64 or DataType.UInt8 or DataType.UInt16 or DataType.UInt32: w.WriteNumberValue(value.AsInt64); break;
            case DataType.None: w.WriteNullValue(); break;
            default: w.WriteStringValue(value.ToString()); break;
        }
    }
}
