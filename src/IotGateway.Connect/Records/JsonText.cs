using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace IotGateway.Connect.Records;

/// <summary>
/// JSON tokens written straight into a growing buffer, without the state machine of a general writer: a reading's shape is fixed
/// and this runs once per reading. Escapes only what RFC 8259 §7 requires, so that "°C" stays readable. Pure.
/// </summary>
static class JsonText
{
    public static void Raw(IBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to.GetSpan(bytes.Length));
        to.Advance(bytes.Length);
    }

    /// <summary>A string with its quotes.</summary>
    public static void String(IBufferWriter<byte> to, ReadOnlySpan<char> text)
    {
        Raw(to, "\""u8);
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAny(Escaped);
            var run = plain < 0 ? text : text[..plain];
            if (!run.IsEmpty)
            {
                // Lone surrogates become U+FFFD: the encoder's replacement.
                var span = to.GetSpan(Encoding.UTF8.GetMaxByteCount(run.Length));
                to.Advance(Encoding.UTF8.GetBytes(run, span));
            }
            if (plain < 0) break;
            Escape(to, text[plain]);
            text = text[(plain + 1)..];
        }
        Raw(to, "\""u8);
    }

    /// <summary>Base64 with its quotes.</summary>
    public static void Base64String(IBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        var length = Base64.GetMaxEncodedToUtf8Length(bytes.Length);
        var span = to.GetSpan(length + 2);
        span[0] = (byte)'"';
        Base64.EncodeToUtf8(bytes, span[1..], out _, out var written);
        span[written + 1] = (byte)'"';
        to.Advance(written + 2);
    }

    /// <summary>A number in its shortest text that reads back the same (floating point), or exactly (integers, decimals as written).</summary>
    public static void Number<T>(IBufferWriter<byte> to, T value) where T : IUtf8SpanFormattable
    {
        var span = to.GetSpan(64);
        if (!value.TryFormat(span, out var written, default, CultureInfo.InvariantCulture)) throw new InvalidOperationException("A number of more than 64 digits.");
        to.Advance(written);
    }

    /// <summary><c>2026-11-20T08:00:00.123456Z</c>: always six fraction digits, cut, not rounded, so that no time is in the future.</summary>
    public static void Iso(IBufferWriter<byte> to, DateTime utc)
    {
        const int length = 27;
        var span = to.GetSpan(length);
        var ok = utc.TryFormat(span, out var written, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        if (!ok || written != length) throw new InvalidOperationException("Time format.");
        to.Advance(length);
    }

    static readonly SearchValues<char> Escaped = SearchValues.Create(
        "\"\\" + string.Concat(Enumerable.Range(0, 0x20).Select(c => (char)c)));

    static void Escape(IBufferWriter<byte> to, char c)
    {
        switch (c)
        {
            case '"': Raw(to, "\\\""u8); break;
            case '\\': Raw(to, "\\\\"u8); break;
            case '\n': Raw(to, "\\n"u8); break;
            case '\r': Raw(to, "\\r"u8); break;
            case '\t': Raw(to, "\\t"u8); break;
            case '\b': Raw(to, "\\b"u8); break;
            case '\f': Raw(to, "\\f"u8); break;
            default:
                var span = to.GetSpan(6);
                "\\u00"u8.CopyTo(span);
                span[4] = (byte)(c >> 4 == 0 ? '0' : '1');
                span[5] = (byte)"0123456789abcdef"[c & 15];
                to.Advance(6);
                break;
        }
    }
}
