using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>
/// Reads the declaration of a configuration record: <c>[Option]</c>, DataAnnotations, <c>required</c>, and defaults from a blank
/// instance. A record declared wrongly is the plugin author's mistake: <see cref="InvalidOperationException"/> naming the property.
/// </summary>
internal sealed class SchemaBuilder
{
    readonly NullabilityInfoContext _nullability = new();

    // The records being entered, so that one that nests itself ends.
    readonly Dictionary<Type, ConfigSchema> _open = [];

    public static ConfigSchema Build(Type type) => new SchemaBuilder().BuildObject(type, "");

    public static ConfigSchema BuildConnector(Type config, ConnectorRoles roles)
    {
        var own = Build(config);
        var common = Build(typeof(CommonOptions)).Options
            .Where(o => own.Find(o.Name) is null && (o.Property.GetCustomAttribute<ForRolesAttribute>() is not { } only || (only.Roles & roles) != 0))
            .Select(o => o with { Common = true }).ToList();
        return new(config) { Options = [.. common.Take(1), .. own.Options, .. common.Skip(1)] };
    }

    ConfigSchema BuildObject(Type type, string path)
    {
        if (_open.TryGetValue(type, out var open)) return open;
        var schema = _open[type] = new ConfigSchema(type);
        var blank = Blank.Make(type);
        schema.Options = [.. Declared(type).Select(p => BuildOption(p.Property, p.Option, blank, path))];
        _open.Remove(type);
        return schema;
    }

    static IEnumerable<(PropertyInfo Property, OptionAttribute Option)> Declared(Type type)
        => from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           let option = property.GetCustomAttribute<OptionAttribute>()
           where option is not null
           select (property, option);

    OptionInfo BuildOption(PropertyInfo property, OptionAttribute option, object blank, string parent)
    {
        if (!property.CanWrite) throw Wrong(property, "needs a set or init accessor");
        var name = JsonNames.Of(property);
        var path = parent.Length == 0 ? name : parent + "." + name;
        var type = BuildType(property, _nullability.Create(property), path);
        var rules = property.GetCustomAttributes<ValidationAttribute>().ToList();
        return new()
        {
            Name = name,
            Path = path,
            Type = type,
            Doc = option.Doc,
            Example = option.Example,
            Advanced = option.Advanced,
            Secret = option.Secret,
            Required = property.IsDefined(typeof(RequiredMemberAttribute)) || rules.OfType<RequiredAttribute>().Any(),
            Default = property.GetValue(blank),
            Property = property,
            Pattern = rules.OfType<RegularExpressionAttribute>().FirstOrDefault()?.Pattern,
            Limit = rules.OfType<RangeAttribute>().FirstOrDefault() is { } range ? ValueLimit.From(range, Innermost(type).Clr) : null,
            Rules = [.. rules.Where(r => r is not RangeAttribute)],
        };
    }

    static OptionType Innermost(OptionType type) => type.Item is null ? type : Innermost(type.Item);

    OptionType BuildType(PropertyInfo property, NullabilityInfo info, string path)
    {
        var clr = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        var nullable = info.Type != clr || !clr.IsValueType && info.WriteState == NullabilityState.Nullable;
        if (Kinds.OfScalar(clr) is { } kind) return new(kind, clr, nullable);
        if (clr.IsEnum) return new(OptionKind.Enum, clr, nullable) { Choices = Choices(clr, property.GetCustomAttribute<AllowedValuesAttribute>(), property.GetCustomAttribute<DeniedValuesAttribute>()) };
        if (Collections.ElementOfDictionary(clr) is not null)
            return new(OptionKind.Dictionary, clr, nullable) { Item = BuildType(property, info.GenericTypeArguments[1], path + ".*") };
        if (Collections.ElementOfList(clr) is not null)
            return new(OptionKind.List, clr, nullable) { Item = BuildType(property, info.ElementType ?? info.GenericTypeArguments[0], path + "[]") };
        if (clr.IsClass && Declared(clr).Any()) return new(OptionKind.Object, clr, nullable) { Schema = BuildObject(clr, path) };
        throw Wrong(property, $"has the type {clr}, which no option can have");
    }

    static IReadOnlyList<string> Choices(Type type, AllowedValuesAttribute? allowed, DeniedValuesAttribute? denied)
        => [.. JsonNames.OfEnum(type).Where(c => (allowed?.Values.Contains(c.Value) ?? true) && !(denied?.Values.Contains(c.Value) ?? false)).Select(c => c.Name)];

    static InvalidOperationException Wrong(PropertyInfo property, string what) => new($"Option {property.DeclaringType!.Name}.{property.Name} {what}.");
}
