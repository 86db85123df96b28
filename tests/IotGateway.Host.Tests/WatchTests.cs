using System.Collections.Concurrent;
using IotGateway.Host.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IotGateway.Host.Tests;

/// <summary>What says, once, that the log's disk is full or does not answer, and that it does again.</summary>
public sealed class WatchTests
{
    [Fact]
    public async Task A_full_disk_is_said_once_and_so_is_its_end()
    {
        var logger = new Lines<SpaceWatch>();
        var answers = new Answers<bool>([true, false, false, false, true, true]);
        using var watch = new SpaceWatch(answers.Next, "/data", new Fast(), logger);
        await RunAsync(watch, answers.Asked);
        Assert.Equal([LogLevel.Error, LogLevel.Information], logger.Told.Select(t => t.Level));
    }

    [Fact]
    public async Task A_disk_that_does_not_answer_is_said_once_and_so_is_its_end_a_slow_one_is_not()
    {
        var logger = new Lines<DiskWatch>();
        var answers = new Answers<TimeSpan>([.. new[] { 0, 0.1, 4.9, 0.2, 5.1, 6, 62.4, 0.1, 0, 4.9, 7, 0 }.Select(TimeSpan.FromSeconds)]);
        using var watch = new DiskWatch(answers.Next, "/data", new Fast(), logger);
        await RunAsync(watch, answers.Asked);
        Assert.Equal([LogLevel.Warning, LogLevel.Information, LogLevel.Warning, LogLevel.Information], logger.Told.Select(t => t.Level));
        Assert.Contains("has not answered for 5 s", logger.Told.First().Text, StringComparison.Ordinal);
        Assert.Contains("at least 62 s", logger.Told.ElementAt(1).Text, StringComparison.Ordinal);
    }

    static async Task RunAsync(BackgroundService watch, Task asked)
    {
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await asked.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await watch.StopAsync(TestContext.Current.CancellationToken);
    }

    // One after the other; the last for ever.
    sealed class Answers<T>(T[] answers)
    {
        readonly TaskCompletionSource _asked = new();
        int _next;

        /// <summary>All have been given, and what came of the last has been said.</summary>
        public Task Asked => _asked.Task;

        public T Next()
        {
            if (_next < answers.Length) return answers[_next++];
            _asked.TrySetResult();
            return answers[^1];
        }
    }

    // Every period passes at once.
    sealed class Fast : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => System.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
    }

    sealed class Lines<T> : ILogger<T>
    {
        public ConcurrentQueue<(LogLevel Level, string Text)> Told { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Told.Enqueue((logLevel, formatter(state, exception)));
    }
}
