using System.Collections.Concurrent;
using IotGateway.Host.Hosting;
using Microsoft.Extensions.Logging;

namespace IotGateway.Host.Tests;

public sealed class SpaceWatchTests
{
    [Fact]
    public async Task A_full_disk_is_said_once_and_so_is_its_end()
    {
        var answers = new Queue<bool>([true, false, false, false, true, true]);
        var done = new TaskCompletionSource();
        var logger = new Lines();
        using var watch = new SpaceWatch(() =>
        {
            if (answers.TryDequeue(out var answer)) return answer;
            done.TrySetResult();
            return true;
        }, "/data", new Fast(), logger);
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await done.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await watch.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal([LogLevel.Error, LogLevel.Information], logger.Levels);
    }

    // Every period passes at once.
    sealed class Fast : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => System.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
    }

    sealed class Lines : ILogger<SpaceWatch>
    {
        public ConcurrentQueue<LogLevel> Levels { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Levels.Enqueue(logLevel);
    }
}
