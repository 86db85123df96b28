using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace IotGateway.Host.Hosting;

/// <summary>One line per event for people: time, level, where, what. Control characters in data are shown, not obeyed. Thread-safe.</summary>
sealed class PlainFormatter() : ConsoleFormatter(Name)
{
    public new const string Name = "plain";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var level = logEntry.LogLevel switch
        {
            LogLevel.Trace => "TRACE", LogLevel.Debug => "DEBUG", LogLevel.Information => "INFO ", LogLevel.Warning => "WARN ", LogLevel.Error => "ERROR", _ => "FATAL",
        };
        textWriter.Write(TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture));
        textWriter.Write(level);
        textWriter.Write(' ');
        textWriter.Write(logEntry.Category);
        textWriter.Write(": ");
        textWriter.WriteLine(Indented(Visible(logEntry.Formatter(logEntry.State, logEntry.Exception))));
        if (logEntry.Exception is { } exception) textWriter.WriteLine("  " + Indented(Visible(exception.ToString())));
    }

    // Only an event begins at the margin: a line break in a device's name cannot forge one.
    static string Indented(string text) => text.Replace("\n", "\n  ", StringComparison.Ordinal);

    /// <summary>Text from machines may hold anything: only line breaks and tabs pass.</summary>
    public static string Visible(string text) => text.Any(c => char.IsControl(c) && c is not ('\n' or '\t'))
        ? string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? $"\\u{(int)c:x4}" : c.ToString())) : text;
}
