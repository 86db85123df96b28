using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using IotGateway.Connect.Plugins;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.Plugins;

/// <summary>A plugins folder on disk with real assemblies, emitted by the test.</summary>
internal sealed class PluginFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("iotgateway-plugins-").FullName;

    public PluginCatalog Catalog => PluginCatalog.Load(Root, NullLogger.Instance);

    /// <summary>Adds a folder and an assembly of that name with one exported factory per connector name.</summary>
    /// <param name="name">Name of folder and assembly.</param>
    /// <param name="connectors">Connector names.</param>
    /// <param name="constructor">What the constructors do beside nothing.</param>
    /// <param name="summary">Puts the summary on the stack; default: a constant.</param>
    public string Add(string name, string[] connectors, Action<ILGenerator>? constructor = null, Action<ILGenerator>? summary = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name) { Version = new(1, 2, 3, 0) }, typeof(object).Assembly);
        var module = assembly.DefineDynamicModule(name);
        for (var i = 0; i < connectors.Length; i++)
        {
            var type = module.DefineType($"{name}.Factory{i}", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.Class);
            DefineFactory(type, connectors[i], constructor, summary ?? (il => il.Emit(OpCodes.Ldstr, "Emitted.")));
            type.CreateType();
        }
        if (connectors.Length == 0) module.DefineType($"{name}.Nothing", TypeAttributes.Public).CreateType();
        assembly.Save(Path.Combine(folder, name + ".dll"));
        return folder;
    }

    static void DefineFactory(TypeBuilder type, string connector, Action<ILGenerator>? constructor, Action<ILGenerator> summary)
    {
        var face = typeof(IConnectorFactory<TlsConfig>);
        type.AddInterfaceImplementation(face);
        var made = type.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, []).GetILGenerator();
        made.Emit(OpCodes.Ldarg_0);
        made.Emit(OpCodes.Call, typeof(object).GetConstructor([])!);
        constructor?.Invoke(made);
        made.Emit(OpCodes.Ret);

        var info = Implement(type, face.GetProperty(nameof(IConnectorFactory<>.Info))!.GetMethod!);
        info.Emit(OpCodes.Ldstr, connector);
        summary(info);
        info.Emit(OpCodes.Ldc_I4, (int)ConnectorRoles.Source);
        info.Emit(OpCodes.Newobj, typeof(ConnectorInfo).GetConstructor([typeof(string), typeof(string), typeof(ConnectorRoles)])!);
        info.Emit(OpCodes.Ret);

        var create = Implement(type, face.GetMethod(nameof(IConnectorFactory<>.Create))!);
        create.Emit(OpCodes.Ldnull);
        create.Emit(OpCodes.Ret);
    }

    static ILGenerator Implement(TypeBuilder type, MethodInfo declared)
    {
        var method = type.DefineMethod(declared.Name, MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.Final, declared.ReturnType, [.. declared.GetParameters().Select(p => p.ParameterType)]);
        type.DefineMethodOverride(method, declared);
        return method.GetILGenerator();
    }

    /// <summary>A library beside a plugin with <c>Text.Get()</c>; its method, for a plugin to call.</summary>
    public MethodInfo AddLibrary(string plugin, string name, string text, string? folder = null)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name) { Version = new(1, 0, 0, 0) }, typeof(object).Assembly);
        var type = assembly.DefineDynamicModule(name).DefineType(name + ".Text", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        var method = type.DefineMethod("Get", MethodAttributes.Public | MethodAttributes.Static, typeof(string), []);
        var il = method.GetILGenerator();
        il.Emit(OpCodes.Ldstr, text);
        il.Emit(OpCodes.Ret);
        type.CreateType();
        var path = Path.Combine(Directory.CreateDirectory(folder ?? Path.Combine(Root, plugin)).FullName, name + ".dll");
        assembly.Save(path);
        return method;
    }

    /// <summary>Rewrites which Sdk an assembly says it was built against.</summary>
    public static void PretendSdk(string folder, Version version)
    {
        var file = Path.Combine(folder, Path.GetFileName(folder) + ".dll");
        var bytes = File.ReadAllBytes(file);
        using (var image = new PEReader([.. bytes]))
        {
            var metadata = image.GetMetadataReader();
            var row = 0;
            foreach (var handle in metadata.AssemblyReferences)
            {
                if (metadata.GetString(metadata.GetAssemblyReference(handle).Name) == "IotGateway.Sdk")
                {
                    // ECMA-335 §II.22.5: a row of AssemblyRef begins with four 16 bit version numbers.
                    var at = image.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.AssemblyRef) + row * metadata.GetTableRowSize(TableIndex.AssemblyRef);
                    int[] parts = [version.Major, version.Minor, version.Build, 0];
                    for (var i = 0; i < parts.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at + 2 * i), (ushort)parts[i]);
                }
                row++;
            }
        }
        File.WriteAllBytes(file, bytes);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
