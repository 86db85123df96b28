using Microsoft.Extensions.Logging.Console;

namespace IotGateway.Host.Hosting;

/// <summary>The gateway's own log: one line per event on standard output, as text for people or JSON for collectors. Framework chatter below Warning is left out.</summary>
static class GatewayLogging
{
    public static ILoggerFactory Make(bool json) => LoggerFactory.Create(logging =>
    {
        logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        if (json) logging.AddJsonConsole(o => { o.UseUtcTimestamp = true; o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"; });
        else
            logging.AddSimpleConsole(o =>
            {
                o.SingleLine = true;
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
                o.ColorBehavior = LoggerColorBehavior.Disabled;
            });
    });
}
