using System.Globalization;
using IotGateway.Connect.Configs.Json;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>
/// Reads one scalar. A null message on failure means "wrong kind"; the caller says what is expected. Text from a reference or a
/// table may stand for a number or a bool; text written as a JSON string may not.
/// </summary>
internal static class ScalarReader
{
    const int DecimalDigits = 28;

    public static bool TryRead(ConfigNode node, OptionType type, out object value, out string? message, out string fix)
    {
        (value, message, fix) = (null!, null, "");
        var text = node.Kind == NodeKind.String ? node.Text : null;
        var loose = node.IsLoose || node.Written is not null;
        switch (type.Kind)
        {
            case OptionKind.Bool:
                if (node.Kind == NodeKind.Bool || loose && node.Text is "true" or "false") value = node.Text == "true";
                else if (text is "true" or "false") fix = "Remove the quotes.";
                break;
            case OptionKind.Integer or OptionKind.Number:
                if (node.Kind == NodeKind.Number || loose && IsNumber(node.Text)) return TryReadNumber(node.Text.Trim(), type, out value, out message, out fix);
                if (text is not null && IsNumber(text)) fix = "Remove the quotes.";
                else if (loose && IsNumber(node.Text.Replace(',', '.'))) fix = "Write a point instead of the comma.";
                break;
            case OptionKind.String:
                if (text is not null) value = text;
                else if (node.Kind is NodeKind.Number or NodeKind.Bool) fix = $"Write \"{node.Text}\".";
                break;
            case OptionKind.Enum:
                if (text is not null) return TryReadEnum(node, text, type, out value, out message, out fix);
                break;
            case OptionKind.Duration:
                if ((text ?? (node.Text == "0" ? "0" : null)) is { } time && Duration.TryParse(time, out var duration)) value = duration;
                else if (node.Kind == NodeKind.Number) fix = $"Write it with a unit: \"{node.Text}ms\", \"{node.Text}s\", \"{node.Text}min\" or \"{node.Text}h\".";
                else if (text is not null) fix = "Units are us, ms, s, min, h, d.";
                break;
            case OptionKind.Size:
                if (node.Kind is NodeKind.String or NodeKind.Number && ByteSize.TryParse(node.Text, out var size)) value = size;
                else if (text is not null) fix = "Units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB.";
                break;
            case OptionKind.Rate:
                if (text is not null && Rate.TryParse(text, out var rate)) value = rate;
                break;
            case OptionKind.Endpoints:
                return TryReadEndpoints(node, out value, out message, out fix);
            case OptionKind.Scalar:
                return TryReadAny(node, out value, out message, out fix);
        }
        return value is not null;
    }

    static bool TryReadEnum(ConfigNode node, string text, OptionType type, out object value, out string? message, out string fix)
    {
        (value, message, fix) = (null!, null, "");
        foreach (var (name, member) in JsonNames.OfEnum(type.Clr))
            if (name == text && type.Choices.Contains(name)) value = member;
        if (value is not null) return true;
        if (Nearest.To(text, type.Choices) is { } near)
            (message, fix) = ($"{Capital(node.Found())} is not one of {string.Join(", ", type.Choices)}.", $"Did you mean '{near}'?");
        return false;
    }

    static bool TryReadEndpoints(ConfigNode node, out object value, out string? message, out string fix)
    {
        (value, message, fix) = (null!, null, "");
        var addresses = node.Kind == NodeKind.String ? [node] : node.Items;
        if (node.Kind is not (NodeKind.String or NodeKind.List) || addresses.Exists(a => a.Kind != NodeKind.String)) return false;
        if (addresses.Exists(a => a.IsBroken)) (message, fix) = ("An address of the list is missing.", "See the problem reported for it.");
        else if (addresses.Count == 0 || addresses.Exists(a => string.IsNullOrWhiteSpace(a.Text))) (message, fix) = ("The address is empty.", "Write at least one address.");
        else value = new Endpoints([.. addresses.Select(a => a.Text)]);
        return value is not null;
    }

    static bool TryReadAny(ConfigNode node, out object value, out string? message, out string fix)
    {
        (value, message, fix) = (null!, null, "");
        switch (node.Kind)
        {
            case NodeKind.Null: value = Value.None; break;
            case NodeKind.Bool: value = Value.Of(node.Text == "true"); break;
            case NodeKind.String: value = Value.Of(node.Text); break;
            case NodeKind.Number when long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole): value = Value.Of(whole); break;
            case NodeKind.Number when ulong.TryParse(node.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var large): value = Value.Of(large); break;
            case NodeKind.Number:
                var number = double.Parse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture);
                if (double.IsFinite(number)) value = Value.Of(number);
                else message = "The number is too large.";
                break;
        }
        return value is not null;
    }

    static bool TryReadNumber(string text, OptionType type, out object value, out string? message, out string fix)
    {
        (value, message, fix) = (null!, null, "");
        if (type.Clr == typeof(double) || type.Clr == typeof(float))
        {
            var number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            if (!double.IsFinite(number) || type.Clr == typeof(float) && !float.IsFinite((float)number)) message = $"The number is too large for a {(type.Clr == typeof(float) ? "float32" : "float64")}.";
            else value = type.Clr == typeof(float) ? (float)number : number;
            return value is not null;
        }
        if (!TryReadDecimal(text, out var exact)) message = $"The number has more than {DecimalDigits} digits.";
        else if (type.Clr == typeof(decimal)) value = exact;
        else if (decimal.Truncate(exact) != exact) return false;
        else
        {
            var (min, max) = Bounds(type.Clr);
            if (exact < min || exact > max) message = $"Must be between {min} and {max}.";
            else value = Convert.ChangeType(exact, type.Clr, CultureInfo.InvariantCulture);
        }
        return value is not null;
    }

    // False when the number does not fit exactly: decimal.Parse itself would round.
    static bool TryReadDecimal(string text, out decimal exact)
    {
        var mantissa = text.AsSpan(0, text.AsSpan().IndexOfAny('e', 'E') is >= 0 and var e ? e : text.Length).ToString().Replace(".", "", StringComparison.Ordinal);
        var digits = mantissa.Trim('-', '+').Trim('0').Length;
        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out exact) && digits <= DecimalDigits
            && (digits == 0 || exact != 0) && (digits == 0 || Math.Abs((double)exact / double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) - 1) < 1e-12);
    }

    static (decimal Min, decimal Max) Bounds(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.SByte => (sbyte.MinValue, sbyte.MaxValue),
        TypeCode.Byte => (byte.MinValue, byte.MaxValue),
        TypeCode.Int16 => (short.MinValue, short.MaxValue),
        TypeCode.UInt16 => (ushort.MinValue, ushort.MaxValue),
        TypeCode.Int32 => (int.MinValue, int.MaxValue),
        TypeCode.UInt32 => (uint.MinValue, uint.MaxValue),
        TypeCode.Int64 => (long.MinValue, long.MaxValue),
        _ => (ulong.MinValue, ulong.MaxValue),
    };

    static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number);

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
