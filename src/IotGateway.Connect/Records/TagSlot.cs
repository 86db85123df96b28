using System.Text;
using IotGateway.Connect.Health;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Records;

/// <summary>
/// The runtime's own state of a tag, hung on <see cref="Tag.Slot"/>: where its readings go, the part of their JSON that never
/// changes, and how it is. Made when the tag is interned. The mutable part belongs to <see cref="PartBoard"/>'s lock,
/// <see cref="Mark"/> to the encoding thread.
/// </summary>
sealed class TagSlot
{
    public TagSlot(Tag tag, TopicName live, DeviceParts device, object owner)
    {
        (Live, Device, Owner) = (live, device, owner);
        var text = new System.Buffers.ArrayBufferWriter<byte>(64);
        JsonText.Raw(text, "{\"device\":"u8);
        JsonText.String(text, tag.Device);
        JsonText.Raw(text, ",\"tag\":"u8);
        JsonText.String(text, tag.Name);
        JsonText.Raw(text, ",\"type\":\""u8);
        Head = text.WrittenSpan.ToArray();
        if (tag.Unit is not { } unit) return;
        text.Clear();
        JsonText.Raw(text, ",\"unit\":"u8);
        JsonText.String(text, unit);
        Unit = text.WrittenSpan.ToArray();
    }

    /// <summary>Topic of its live readings.</summary>
    public TopicName Live { get; }

    /// <summary><c>{"device":"…","tag":"…","type":"</c>.</summary>
    public byte[] Head { get; }

    /// <summary><c>,"unit":"…"</c> or nothing.</summary>
    public byte[] Unit { get; } = [];

    /// <summary>Its device.</summary>
    public DeviceParts Device { get; }

    /// <summary>Number of the last unit that holds its last value, so that each unit stores it once.</summary>
    public long Mark { get; set; }

    /// <summary>Quality of its last reading was bad.</summary>
    public bool Bad { get; set; }

    /// <summary>With which status, while it is bad.</summary>
    public string? BadStatus { get; set; }

    /// <summary>For whom it was made: a connector under one configuration.</summary>
    public object Owner { get; }

    /// <summary>Type names as written in records.</summary>
    public static byte[] NameOf(DataType type) => Names[(int)type];

    static readonly byte[][] Names = [.. Enum.GetValues<DataType>().Select(t => Encoding.ASCII.GetBytes(t.ToString().ToLowerInvariant()))];
}
