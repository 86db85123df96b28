namespace IotGateway.Host.Hosting;

/// <summary>Says when the log's disk stops answering and when it answers again, once each: meanwhile nothing is acknowledged, and nobody else knows why.</summary>
/// <param name="underWay">How long the log's commit under way has taken so far; zero when none is.</param>
/// <param name="folder">The log's, for the messages.</param>
/// <param name="time">How it waits.</param>
/// <param name="logger">Where it says so.</param>
sealed partial class DiskWatch(Func<TimeSpan> underWay, string folder, TimeProvider time, ILogger<DiskWatch> logger) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>From when on it is said; a worn flash card may take a second or two now and then.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var longest = TimeSpan.Zero; // of the stall that has been told; zero when there is none
        using var timer = new PeriodicTimer(Look, time);
        do
        {
            var now = underWay();
            if (now >= Long && longest == TimeSpan.Zero) Log.Stalled(logger, folder, (int)now.TotalSeconds);
            if (now >= Long) longest = now > longest ? now : longest;
            else if (longest > TimeSpan.Zero)
            {
                Log.Answers(logger, folder, (int)longest.TotalSeconds);
                longest = TimeSpan.Zero;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The disk of the log in {Folder} has not answered for {Seconds} s. Nothing is acknowledged until it does; nothing acknowledged is lost. A disk that does this often is failing or overloaded.")]
        public static partial void Stalled(ILogger logger, string folder, int seconds);

        [LoggerMessage(LogLevel.Information, "The disk of the log in {Folder} answers again, after at least {Seconds} s.")]
        public static partial void Answers(ILogger logger, string folder, int seconds);
    }
}
