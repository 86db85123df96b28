namespace IotGateway.Host.Hosting;

/// <summary>The gateway's own log: one line per event on standard output, as text for people or JSON for collectors. Framework chatter below Warning is left out.</summary>
static class GatewayLogging
{
    public static ILoggerFactory Make(bool json, LogLevel level = LogLevel.Information) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None) // a taken port is told once, with the setting to change
            .AddFilter("System", LogLevel.Warning);
        if (json) logging.AddJsonConsole(o => { o.UseUtcTimestamp = true; o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"; });
        else
        {
            logging.AddConsoleFormatter<PlainFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
            logging.AddConsole(o => o.FormatterName = PlainFormatter.Name);
        }
    });
}
