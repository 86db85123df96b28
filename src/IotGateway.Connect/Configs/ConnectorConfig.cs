using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Configs;

/// <summary>A connector's file, read and found valid. Immutable.</summary>
/// <param name="Name">The connector's name: the file's name without its ending.</param>
/// <param name="File">Full path of the file.</param>
/// <param name="Plugin">The plugin it names.</param>
/// <param name="Common">The runtime's own options.</param>
/// <param name="Config">The plugin's configuration record.</param>
/// <param name="RawText">The file as written, references to secrets unresolved: what REST shows and stores.</param>
/// <param name="ContentHash">Changes when the meaning changes, secrets included; not with comments, order of keys or white space.</param>
public sealed record ConnectorConfig(string Name, string File, Plugin Plugin, CommonOptions Common, object Config, string RawText, string ContentHash)
{
    /// <summary>The file as it may be shown: secrets hidden, references to them kept.</summary>
    public string ToMaskedJson() => Plugin.Schema.Mask(RawText);

    /// <summary>Without any option, because options may be secret.</summary>
    public override string ToString() => $"{Name} ({Plugin.Info.Name})";
}
