using System.ComponentModel.DataAnnotations;
using System.Globalization;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>
/// What a <see cref="RangeAttribute"/> means for durations, sizes and numbers. The attribute's own check is not used: it rounds
/// fractions to whole limits and knows no sizes.
/// </summary>
internal sealed class ValueLimit
{
    readonly Func<object, IComparable> _convert;
    readonly IComparable? _min, _max;
    readonly bool _minExclusive, _maxExclusive;
    readonly string? _message;
    readonly Func<IComparable, string> _text;

    ValueLimit(Func<object, IComparable> convert, IComparable? min, IComparable? max, RangeAttribute rule, Func<IComparable, string>? text = null)
    {
        _text = text ?? Text;
        (_convert, _min, _max) = (convert, min, max);
        (_minExclusive, _maxExclusive) = (rule.MinimumIsExclusive, rule.MaximumIsExclusive);
        _message = rule.ErrorMessage;
    }

    /// <summary>The limit in the notation of the configuration; null where the type's own limit is meant.</summary>
    public string? MinText => _min is null ? null : _text(_min);

    /// <inheritdoc cref="MinText"/>
    public string? MaxText => _max is null ? null : _text(_max);

    /// <summary>Reads the attribute for a property of a type (without Nullable).</summary>
    public static ValueLimit From(RangeAttribute rule, Type type)
    {
        if (type == typeof(TimeSpan)) return new(v => (TimeSpan)v, Time(rule.Minimum), Time(rule.Maximum), rule);
        if (type == typeof(ByteSize)) return new(v => ((ByteSize)v).Bytes, Size(rule.Minimum), Size(rule.Maximum), rule, l => new ByteSize((long)l).ToString());
        // Float64 for floating point and for limits no decimal holds, else exact.
        var (min, max) = (Number(rule.Minimum), Number(rule.Maximum));
        var floating = type == typeof(double) || type == typeof(float);
        return floating
            ? new(v => Convert.ToDouble(v, CultureInfo.InvariantCulture), min <= -float.MaxValue ? null : min, max >= float.MaxValue ? null : max, rule)
            : new(v => Convert.ToDecimal(v, CultureInfo.InvariantCulture), Exact(rule.Minimum, min), Exact(rule.Maximum, max), rule);
    }

    /// <summary>Null when the value keeps the limit, else what is wrong.</summary>
    public string? Check(object value)
    {
        var v = _convert(value);
        var low = _min is not null && v.CompareTo(_min) is var a && (a < 0 || a == 0 && _minExclusive);
        var high = _max is not null && v.CompareTo(_max) is var b && (b > 0 || b == 0 && _maxExclusive);
        return low || high || v is double.NaN ? _message ?? Message : null;
    }

    string Message => (_min, _max) switch
    {
        ({ }, { }) when !_minExclusive && !_maxExclusive => $"Must be between {MinText} and {MaxText}.",
        ({ }, { }) => $"Must be {Above} and {Below}.",
        ({ }, null) => $"Must be {Above}.",
        _ => $"Must be {Below}.",
    };

    string Above => (_minExclusive ? "above " : "at least ") + MinText;
    string Below => (_maxExclusive ? "below " : "at most ") + MaxText;

    static string Text(IComparable limit) => limit switch
    {
        TimeSpan time => Duration.Format(time),
        _ => Convert.ToString(limit, CultureInfo.InvariantCulture)!,
    };

    static TimeSpan Time(object limit) => limit switch
    {
        TimeSpan time => time,
        string text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && text.Contains(':', StringComparison.Ordinal) => time,
        string text when Duration.TryParse(text, out var time) => time,
        _ => throw new InvalidOperationException($"The range's limit '{limit}' is no duration."),
    };

    static long Size(object limit) => limit is string text && ByteSize.TryParse(text, out var size)
        ? size.Bytes
        : throw new InvalidOperationException($"The range's limit '{limit}' is no size.");

    static double Number(object limit) => Convert.ToDouble(limit, CultureInfo.InvariantCulture);

    // [Range(1, int.MaxValue)] means no upper limit, as do limits beyond every integer.
    static decimal? Exact(object limit, double approximate)
        => limit is int.MaxValue or int.MinValue || Math.Abs(approximate) > 1e20 ? null : Convert.ToDecimal(limit, CultureInfo.InvariantCulture);
}
