#:property PublishAot=false
#:property NoWarn=$(NoWarn);CA1305;CA1307;CA1310;CA1852;CA1869;CA1861;CA1866;IDE0130
// Generator of the Kafka message codecs: reads common/message/*.json of a kafka-clients jar (facts of the protocol: names, types,
// versions, tags, defaults) and writes one C# file per request or response. Its output is committed; run by ./generate.
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

// Every API a client may speak to a broker of ours, now or later.
HashSet<int> wanted =
[
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37,
    42, 43, 44, 46, 47, 48, 50, 51, 55, 60, 61, 65, 66, 68, 69, 74, 75,
];
var jar = args[0];
var output = Directory.CreateDirectory(args[1]).FullName;
foreach (var old in Directory.GetFiles(output, "*.g.cs")) File.Delete(old);
var names = new SortedDictionary<int, string>();
using var zip = ZipFile.OpenRead(jar);
foreach (var entry in zip.Entries.Where(e => e.FullName.StartsWith("common/message/") && e.Name.EndsWith(".json")).OrderBy(e => e.Name, StringComparer.Ordinal))
{
    using var stream = entry.Open();
    var json = JsonNode.Parse(stream, null, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!;
    if ((string?)json["type"] is not ("request" or "response") || !wanted.Contains((int)json["apiKey"]!)) continue;
    var message = new Message(json);
    names[message.ApiKey] = message.Name.Replace("Request", "").Replace("Response", "");
    File.WriteAllText(Path.Combine(output, message.Name + ".g.cs"), message.Emit());
}
var keys = new StringBuilder(Message.Header);
keys.Append("namespace IotGateway.Broker.Protocol;\n\n/// <summary>The APIs this broker has codecs for.</summary>\ninternal enum ApiKey : short\n{\n");
foreach (var (key, name) in names) keys.Append($"    {name} = {key},\n");
keys.Append("}\n");
File.WriteAllText(Path.Combine(output, "ApiKey.g.cs"), keys.ToString());
Console.WriteLine($"{names.Count} APIs written to {output}");
return 0;

/// <summary>A range of versions, as "3-7", "3+", "3" or "none".</summary>
readonly record struct Range(int Low, int High)
{
    public static Range Parse(string? text)
    {
        if (text is null or "none") return new(1, 0);
        if (text.EndsWith('+')) return new(int.Parse(text[..^1]), short.MaxValue);
        var parts = text.Split('-');
        return new(int.Parse(parts[0]), int.Parse(parts[^1]));
    }

    public bool Empty => High < Low;
    public Range And(Range other) => new(Math.Max(Low, other.Low), Math.Min(High, other.High));

    /// <summary>A C# condition on `version` that holds in this range, given that `within` holds; null when always, "false" when never.</summary>
    public string? Condition(Range within)
    {
        var both = And(within);
        if (both.Empty) return "false";
        var low = both.Low > within.Low ? $"version >= {both.Low}" : null;
        var high = both.High < within.High ? $"version <= {both.High}" : null;
        return low is null ? high : high is null ? low : both.Low == both.High ? $"version == {both.Low}" : $"version is >= {both.Low} and <= {both.High}";
    }

    public override string ToString() => Low == High ? $"v{Low}" : High == short.MaxValue ? $"v{Low}+" : $"v{Low}–{High}";
}

sealed class Field
{
    public required string Name { get; init; }
    public required string Type { get; init; }
    public required Range Versions { get; init; }
    public required Range Nullable { get; init; }
    public required string? Default { get; init; }
    public required int? Tag { get; init; }
    public required string? Entity { get; init; }
    public required bool MapKey { get; init; }
    public string? Struct { get; set; }

    public bool IsArray => Type.StartsWith("[]");
    public string Element => IsArray ? Type[2..] : Type;
    public bool IsStruct => Struct is not null;
    public bool IsReference => IsArray || IsStruct || Type is "string" or "bytes" or "records";

    string ElementType => Struct ?? Element switch
    {
        "bool" => "bool", "int8" => "sbyte", "int16" => "short", "uint16" => "ushort", "int32" => "int", "int64" => "long",
        "float64" => "double", "uuid" => "Guid", "string" => "string", "bytes" or "records" => "ReadOnlyMemory<byte>",
        _ => throw new NotSupportedException(Element),
    };

    public string CSharp => (IsArray ? $"List<{ElementType}>" : ElementType) + (CanBeNull ? "?" : "");

    /// <summary>A tagged structure is null when it is absent.</summary>
    public bool CanBeNull => !Nullable.Empty || (IsStruct && !IsArray && Tag is not null);

    public string Method => Element switch
    {
        "bool" => "Bool", "int8" => "Int8", "int16" => "Int16", "uint16" => "UInt16", "int32" => "Int32", "int64" => "Int64",
        "float64" => "Float64", "uuid" => "Uuid", "string" => "String", "bytes" or "records" => "Bytes", _ => "Struct",
    };

    public string Initial
    {
        get
        {
            if (Default == "null" || (IsStruct && !IsArray && Tag is not null)) return "";
            if (IsArray) return " = [];";
            if (IsStruct) return " = new();";
            return Type switch
            {
                "string" => Default is null or "" ? " = \"\";" : $" = \"{Default}\";",
                "bool" => string.Equals(Default, "true", StringComparison.OrdinalIgnoreCase) ? " = true;" : "",
                "uuid" => "",
                "bytes" or "records" => Nullable.Empty ? "" : " = ReadOnlyMemory<byte>.Empty;",
                _ => Number is null or "0" ? "" : $" = {Number};",
            };
        }
    }

    string? Number => Default switch
    {
        null or "" => null,
        "0x7fffffff" => "int.MaxValue",
        "9223372036854775807" => "long.MaxValue",
        "-2147483648" => "int.MinValue",
        "-9223372036854775808" => "long.MinValue",
        _ => long.Parse(Default, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Whether a tagged field has something to say.</summary>
    public string Present => IsArray ? (CanBeNull ? $"{Name} is not null" : $"{Name}.Count != 0") : CanBeNull ? $"{Name} is not null" : Type switch
    {
        "string" => $"{Name}.Length != 0",
        "bool" => Initial == "" ? Name : $"!{Name}",
        "uuid" => $"{Name} != Guid.Empty",
        _ => $"{Name} != {Number ?? "0"}",
    };

    /// <summary>Rough bytes it takes on the heap inside its owner.</summary>
    public int Size => IsReference && Type is not ("bytes" or "records") ? 8 : Type is "uuid" ? 16 : Type is "bytes" or "records" ? 24 : 8;
}

sealed class Message
{
    public const string Header = "// <auto-generated>\n// Written by eng/protocol/generate from Apache Kafka's message definitions. Do not edit.\n// </auto-generated>\n#nullable enable\n\n";

    readonly Range _valid;
    readonly Range _flexible;
    readonly List<Field> _fields;
    readonly List<(string Name, Range Versions, List<Field> Fields)> _structs = [];
    readonly bool _request;

    public Message(JsonNode json)
    {
        Name = (string)json["name"]!;
        ApiKey = (int)json["apiKey"]!;
        _request = (string)json["type"]! == "request";
        _valid = Range.Parse((string)json["validVersions"]!);
        _flexible = Range.Parse((string)json["flexibleVersions"]!);
        var common = (json["commonStructs"] as JsonArray ?? []).Select(s => ((string)s!["name"]!, s)).ToList();
        _fields = Parse(json["fields"]!.AsArray());
        foreach (var (name, node) in common) _structs.Add((name, Range.Parse((string?)node!["versions"] ?? "0+"), Parse(node["fields"]!.AsArray())));
        // A nested type may not have the name of a member of the message, nor a member the name of its own type.
        var taken = _fields.Select(f => f.Name).ToHashSet();
        foreach (var at in Enumerable.Range(0, _structs.Count))
            if (taken.Contains(_structs[at].Name) || _structs[at].Fields.Any(f => f.Name == _structs[at].Name))
                Rename(_structs[at].Name, _structs[at].Name + "Data", at);
    }

    public string Name { get; }
    public int ApiKey { get; }

    void Rename(string from, string to, int at)
    {
        _structs[at] = _structs[at] with { Name = to };
        foreach (var field in _fields.Concat(_structs.SelectMany(s => s.Fields)).Where(f => f.Struct == from)) field.Struct = to;
    }

    List<Field> Parse(JsonArray array)
    {
        var fields = new List<Field>();
        foreach (var node in array)
        {
            var type = (string)node!["type"]!;
            var field = new Field
            {
                Name = char.ToUpperInvariant(((string)node["name"]!)[0]) + ((string)node["name"]!)[1..],
                Type = type,
                Versions = Range.Parse((string)node["versions"]!),
                Nullable = Range.Parse((string?)node["nullableVersions"]).And(Range.Parse((string)node["versions"]!)).And(_valid),
                Default = node["default"]?.ToString(),
                Tag = (int?)node["tag"],
                Entity = (string?)node["entityType"],
                MapKey = (bool?)node["mapKey"] ?? false,
            };
            if (field.Tag is not null && (string)node["taggedVersions"]! != (string)node["versions"]!) throw new NotSupportedException(field.Name);
            if (char.IsUpper(field.Element[0])) field.Struct = field.Element;
            fields.Add(field);
            if (node["fields"] is JsonArray inner) _structs.Add((field.Element, field.Versions, Parse(inner)));
        }
        return fields;
    }

    public string Emit()
    {
        var text = new StringBuilder(Header);
        var key = Name.Replace("Request", "").Replace("Response", "");
        text.Append("namespace IotGateway.Broker.Protocol.Messages;\n\n");
        text.Append($"/// <summary>API {ApiKey} {key}, {(_request ? "request" : "response")}, {_valid}.</summary>\n");
        text.Append($"internal sealed class {Name} : IKafkaMessage<{Name}>\n{{\n");
        text.Append($"    public static ApiKey Api => ApiKey.{key};\n    public static short LowestVersion => {_valid.Low};\n    public static short HighestVersion => {_valid.High};\n");
        text.Append($"    public static short FlexibleFrom => {(_flexible.Empty ? "short.MaxValue" : _flexible.Low.ToString())};\n\n");
        EmitBody(text, Name, _valid, _fields, "    ");
        foreach (var (name, versions, fields) in _structs)
        {
            text.Append($"\n    internal sealed class {name} : IKafkaStruct<{name}>\n    {{\n");
            EmitBody(text, name, versions.And(_valid), fields, "        ");
            text.Append("    }\n");
        }
        return text.Append("}\n").ToString();
    }

    void EmitBody(StringBuilder text, string name, Range within, List<Field> fields, string pad)
    {
        foreach (var f in fields)
        {
            var notes = new[] { f.Versions.And(_valid).Condition(_valid) is null ? null : f.Versions.And(_valid).ToString(), f.Tag is null ? null : $"tag {f.Tag}", f.MapKey ? "key" : null, f.Entity };
            var note = string.Join(", ", notes.Where(n => n is not null));
            if (note != "") text.Append($"{pad}/// <summary>{note}</summary>\n");
            text.Append($"{pad}public {f.CSharp} {f.Name} {{ get; set; }}{f.Initial}\n");
        }
        var flexible = _flexible.Condition(within);
        var plain = fields.Where(f => f.Tag is null && !f.Versions.And(within).Empty).ToList();
        var tagged = fields.Where(f => f.Tag is not null && !f.Versions.And(within).Empty).OrderBy(f => f.Tag).ToList();
        var flexibleExpression = flexible ?? "true";
        var uses = flexible is not null and not "false" ? "flexible" : flexibleExpression;

        text.Append($"\n{pad}public static {name} Read(ref KafkaReader reader, short version)\n{pad}{{\n");
        var inner = pad + "    ";
        text.Append($"{inner}reader.Charge({16 + fields.Sum(f => f.Size)});\n");
        if (uses == "flexible") text.Append($"{inner}var flexible = {flexible};\n");
        text.Append($"{inner}var it = new {name}();\n");
        foreach (var f in plain)
            text.Append($"{inner}{If(f, within)}it.{f.Name} = {ReadExpression(f, within, uses)};\n");
        if (flexible != "false")
        {
            if (tagged.Count == 0)
                text.Append($"{inner}{(uses == "flexible" ? "if (flexible) " : "")}reader.SkipTags();\n");
            else
            {
                text.Append($"{inner}for (var tags = {(uses == "flexible" ? "flexible ? reader.ReadTagCount() : 0" : "reader.ReadTagCount()")}; tags > 0; tags--)\n{inner}{{\n");
                text.Append($"{inner}    var end = reader.ReadTag(out var tag);\n{inner}    switch (tag)\n{inner}    {{\n");
                foreach (var f in tagged)
                {
                    var condition = f.Versions.Condition(new(Math.Max(within.Low, _flexible.Low), within.High));
                    text.Append($"{inner}        case {f.Tag}{(condition is null ? "" : $" when {condition}")}: it.{f.Name} = {ReadExpression(f, f.Versions.And(within), "true")}; break;\n");
                }
                text.Append($"{inner}        default: break; // unknown: skipped\n{inner}    }}\n{inner}    reader.EndTag(end);\n{inner}}}\n");
            }
        }
        text.Append($"{inner}return it;\n{pad}}}\n");

        text.Append($"\n{pad}public void Write(KafkaWriter writer, short version)\n{pad}{{\n");
        if (uses == "flexible") text.Append($"{inner}var flexible = {flexible};\n");
        foreach (var f in plain)
            text.Append($"{inner}{If(f, within)}{WriteStatement(f, within, uses)};\n");
        if (flexible != "false")
        {
            if (uses == "flexible") text.Append($"{inner}if (!flexible) return;\n");
            if (tagged.Count == 0) text.Append($"{inner}writer.WriteNoTags();\n");
            else
            {
                var range = new Range(Math.Max(within.Low, _flexible.Low), within.High);
                string Present(Field f) => f.Versions.Condition(range) is { } c ? $"{c} && {f.Present}" : f.Present;
                foreach (var f in tagged) text.Append($"{inner}var has{f.Name} = {Present(f)};\n");
                text.Append($"{inner}writer.WriteUnsignedVarint({string.Join(" + ", tagged.Select(f => $"(has{f.Name} ? 1u : 0u)"))});\n");
                foreach (var f in tagged)
                {
                    text.Append($"{inner}if (has{f.Name})\n{inner}{{\n{inner}    var mark = writer.BeginTag({f.Tag});\n");
                    text.Append($"{inner}    {WriteStatement(f, f.Versions.And(within), "true")};\n{inner}    writer.EndTag(mark);\n{inner}}}\n");
                }
            }
        }
        text.Append($"{pad}}}\n");
    }

    static string If(Field f, Range within) => f.Versions.Condition(within) is { } condition ? $"if ({condition}) " : "";

    static string ReadExpression(Field f, Range within, string flexible)
    {
        // A tagged structure is not preceded by a null mark, though our property can be null.
        var nullable = f.Nullable.Empty ? "false" : f.Nullable.Condition(f.Versions.And(within)) ?? "true";
        if (f.IsArray)
        {
            var call = f.IsStruct ? $"Structs<{f.Struct}>(version, {flexible}" : $"{f.Method}s({flexible}";
            return nullable == "false" ? $"reader.Read{call})" : $"reader.ReadNullable{call}, {nullable})";
        }
        if (f.IsStruct)
            return nullable == "false" ? $"{f.Struct}.Read(ref reader, version)" : $"reader.ReadNullableStruct<{f.Struct}>(version, {nullable})";
        if (f.Type is "string" or "bytes" or "records")
            return nullable == "false" ? $"reader.Read{f.Method}({flexible})" : $"reader.ReadNullable{f.Method}({flexible}, {nullable})";
        return $"reader.Read{f.Method}()";
    }

    static string WriteStatement(Field f, Range within, string flexible)
    {
        var nullable = f.Nullable.Empty ? "false" : f.Nullable.Condition(f.Versions.And(within)) ?? "true";
        if (f.IsArray)
            return f.IsStruct ? $"writer.WriteStructs({f.Name}, version, {flexible}, {nullable})" : $"writer.Write{f.Method}s({f.Name}, {flexible}, {nullable})";
        if (f.IsStruct)
            return nullable == "false" ? $"{f.Name}{(f.CanBeNull ? "!" : "")}.Write(writer, version)" : $"writer.WriteNullableStruct({f.Name}, version, {nullable})";
        if (f.Type is "string" or "bytes" or "records") return $"writer.Write{f.Method}({f.Name}, {flexible}, {nullable})";
        return $"writer.Write{f.Method}({f.Name})";
    }
}
