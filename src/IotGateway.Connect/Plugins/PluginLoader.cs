using System.Reflection;
using IotGateway.Sdk;

namespace IotGateway.Connect.Plugins;

/// <summary>
/// Opens one plugin folder: checks the Sdk it was built against, loads <c>NAME/NAME.dll</c> and makes every exported factory.
/// Whatever is wrong with a foreign assembly ends as a problem here.
/// </summary>
internal static class PluginLoader
{
    public static IEnumerable<Plugin> Open(string folder, ICollection<PluginProblem> problems)
    {
        var name = Path.GetFileName(folder);
        var file = Path.Combine(folder, name + ".dll");
        try
        {
            if (!File.Exists(file))
            {
                problems.Add(new(folder, $"There is no {name}.dll in it.", "A plugin's folder is named as its assembly; rename it, or remove it."));
                return [];
            }
            if (Refuse(file) is { } why)
            {
                problems.Add(new(folder, $"Plugin {name} cannot run here. {why}", "Get the plugin's version for this gateway, or build it against this Sdk."));
                return [];
            }
            var assembly = new PluginLoadContext(name, file).LoadFromAssemblyPath(file);
            var factories = assembly.GetExportedTypes().Where(t => t is { IsClass: true, IsAbstract: false } && Face(t) is not null).ToList();
            if (factories.Count == 0)
                problems.Add(new(folder, $"{name}.dll exports no connector factory.", "It needs a public class that implements IConnectorFactory<TConfig>."));
            return [.. factories.Select(t => Make(t, folder, problems)).OfType<Plugin>()];
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            problems.Add(new(folder, $"Plugin {name} cannot be loaded: {Innermost(e)}", "Install it again with all its files, or ask its author."));
            return [];
        }
    }

    static string? Refuse(string file)
        => SdkReference.Read(file) is { } version ? SdkReference.Refusal(version) : "It does not use IotGateway.Sdk, so it is no plugin.";

    static Type? Face(Type type) => type.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IConnectorFactory<>));

    static Plugin? Make(Type type, string folder, ICollection<PluginProblem> problems)
    {
        try
        {
            var factory = Activator.CreateInstance(type);
            var face = (PluginFace)Activator.CreateInstance(typeof(PluginFace<>).MakeGenericType(Face(type)!.GenericTypeArguments[0]), factory)!;
            if (string.IsNullOrWhiteSpace(face.Info.Name)) throw new InvalidOperationException("It has no name.");
            return new(face, folder);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            problems.Add(new(folder, $"The connector factory {type.FullName} cannot be made: {Innermost(e)}", "This is a mistake in the plugin; tell its author."));
            return null;
        }
    }

    static string Innermost(Exception e) => e switch
    {
        TargetInvocationException { InnerException: { } inner } => Innermost(inner),
        TypeInitializationException { InnerException: { } inner } => Innermost(inner),
        ReflectionTypeLoadException { LoaderExceptions: [{ } inner, ..] } => Innermost(inner),
        // The loader's own words end in "the system cannot find the file", which sends people to look for one.
        FileNotFoundException { FileName: { } file } when file.Contains(", Version=", StringComparison.Ordinal)
            => $"The assembly {new AssemblyName(file).Name} {new AssemblyName(file).Version} is not in the plugin's folder.",
        _ => e.Message,
    };
}
