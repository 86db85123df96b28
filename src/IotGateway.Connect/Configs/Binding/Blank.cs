namespace IotGateway.Connect.Configs.Binding;

/// <summary>Makes configuration records with nothing set but their defaults; <c>required</c> binds the compiler only.</summary>
internal static class Blank
{
    /// <exception cref="InvalidOperationException">The type has no parameterless constructor.</exception>
    public static object Make(Type type)
    {
        if (type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null)
            throw new InvalidOperationException($"The configuration record {type.Name} needs a public parameterless constructor, so that its defaults can be read.");
        return Activator.CreateInstance(type)!;
    }
}
