using System.Text;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>A topic of the namespace <c>spBv1.0</c> (Sparkplug 3.0 §4.1): group, kind of message, edge node, and for D messages the device.</summary>
readonly record struct SparkplugTopic(string Group, MessageKind Kind, string Edge, string? Device)
{
    public const string Namespace = "spBv1.0";

    static readonly Dictionary<string, MessageKind> Kinds = new(StringComparer.Ordinal)
    {
        ["NBIRTH"] = MessageKind.NodeBirth, ["NDEATH"] = MessageKind.NodeDeath, ["DBIRTH"] = MessageKind.DeviceBirth, ["DDEATH"] = MessageKind.DeviceDeath,
        ["NDATA"] = MessageKind.NodeData, ["DDATA"] = MessageKind.DeviceData, ["NCMD"] = MessageKind.NodeCommand, ["DCMD"] = MessageKind.DeviceCommand,
    };

    /// <summary>Where a host application says whether it is online (§6.4.23); before 3.0 that was outside the namespace (Sparkplug 2.2 §7.6).</summary>
    public static string State(string hostId, bool before3) => before3 ? $"STATE/{hostId}" : $"{Namespace}/STATE/{hostId}";

    /// <summary>Where a command goes.</summary>
    public static string Command(string group, string edge, string? device)
        => device is null ? $"{Namespace}/{group}/NCMD/{edge}" : $"{Namespace}/{group}/DCMD/{edge}/{device}";

    /// <summary>Reads a topic.</summary>
    public static bool TryParse(ReadOnlySpan<byte> topic, out SparkplugTopic result)
    {
        result = default;
        var levels = Encoding.UTF8.GetString(topic).Split('/');
        if (levels.Length is < 4 or > 5 || levels[0] != Namespace || !Kinds.TryGetValue(levels[2], out var kind)) return false;
        if (levels[1].Length == 0 || levels[3].Length == 0 || levels[^1].Length == 0) return false;
        var ofDevice = kind is MessageKind.DeviceBirth or MessageKind.DeviceDeath or MessageKind.DeviceData or MessageKind.DeviceCommand;
        if (ofDevice != (levels.Length == 5)) return false;
        result = new(levels[1], kind, levels[3], ofDevice ? levels[4] : null);
        return true;
    }
}
