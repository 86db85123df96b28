using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Keeps what was logged at Information and above.</summary>
sealed class ListLogger : ILogger, ILoggerFactory
{
    public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = [];

    readonly Lock _lock = new();
    readonly List<(string Part, TaskCompletionSource<string> Found)> _waiting = [];

    /// <summary>The first line with that in it, once there is one.</summary>
    public Task<string> WaitForAsync(string part)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (Lines.FirstOrDefault(l => l.Text.Contains(part, StringComparison.Ordinal)).Text is { } there) return Task.FromResult(there);
            _waiting.Add((part, found));
        }
        return found.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
    }

    /// <summary>The only line of that level, which was expected and is taken off the list.</summary>
    public string Take(LogLevel level)
    {
        lock (_lock)
        {
            var all = Lines.ToList();
            var text = Assert.Single(all, l => l.Level == level).Text;
            Lines.Clear();
            foreach (var line in all.Where(l => l.Level != level)) Lines.Enqueue(line);
            return text;
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var text = formatter(state, exception) + exception;
        lock (_lock)
        {
            Lines.Enqueue((logLevel, text));
            foreach (var (part, found) in _waiting)
                if (text.Contains(part, StringComparison.Ordinal)) found.TrySetResult(text);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
