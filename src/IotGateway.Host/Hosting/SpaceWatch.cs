namespace IotGateway.Host.Hosting;

/// <summary>Says when the log begins and ends to refuse data for want of space, once each; what waits for it says nothing by itself.</summary>
sealed partial class SpaceWatch(Func<bool> accepting, string folder, TimeProvider time, ILogger<SpaceWatch> logger) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var told = true;
        using var timer = new PeriodicTimer(Look, time);
        do
        {
            var now = accepting();
            if (now == told) continue;
            told = now;
            if (now) Log.Accepts(logger, folder);
            else Log.Full(logger, folder);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The log in {Folder} takes no data: its disk is full but for the reserve, or its size (log.retention.size) is used up by what has to be kept. Free space, raise the size or lower retention; sources wait, and nothing acknowledged is lost.")]
        public static partial void Full(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Information, "The log in {Folder} takes data again.")]
        public static partial void Accepts(ILogger logger, string folder);
    }
}
