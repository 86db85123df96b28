using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using IotGateway.Sdk;

namespace IotGateway.Connect.Plugins;

/// <summary>Reads from a file, without loading it, which Sdk a plugin was built against, and judges it.</summary>
internal static class SdkReference
{
    static readonly System.Reflection.AssemblyName Host = typeof(IConnector).Assembly.GetName();

    /// <summary>The Sdk version the assembly references; null when it references none.</summary>
    /// <exception cref="BadImageFormatException">The file is no .NET assembly.</exception>
    public static Version? Read(string assembly)
    {
        using var stream = File.OpenRead(assembly);
        using var image = new PEReader(stream);
        if (!image.HasMetadata) throw new BadImageFormatException("The file is no .NET assembly.");
        var metadata = image.GetMetadataReader();
        foreach (var handle in metadata.AssemblyReferences)
        {
            var reference = metadata.GetAssemblyReference(handle);
            if (metadata.StringComparer.Equals(reference.Name, Host.Name!)) return reference.Version;
        }
        return null;
    }

    /// <summary>Why a plugin of this Sdk version cannot run here; null when it can. Before 1.0 every minor version may break.</summary>
    public static string? Refusal(Version plugin) => Refusal(plugin, Host.Version!);

    internal static string? Refusal(Version plugin, Version host)
        => plugin.Major == host.Major && (host.Major != 0 || plugin.Minor == host.Minor) && plugin <= host
            ? null
            : $"It was built against {Host.Name} {plugin.ToString(3)}, this gateway has {host.ToString(3)}.";
}
