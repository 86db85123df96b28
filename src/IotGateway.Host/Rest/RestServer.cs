using IotGateway.Connect.Configs;
using IotGateway.Host.Cli;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Rest;

/// <summary>The HTTP server of the REST interface: Kestrel and routing, nothing else.</summary>
static class RestServer
{
    const long MaxBody = 8 << 20;

    public static WebApplication Make(RestConfig config, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "iotgateway" });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            kestrel.Listen(Settings.Endpoint(config.Listen));
        });
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(2));
        var web = builder.Build();
        Errors.Use(web, loggers.CreateLogger("IotGateway.Host.Rest"));
        SameOrigin.Use(web, config);
        return web;
    }

    public static async Task StartAsync(WebApplication web, RestConfig config, CancellationToken ct)
    {
        try
        {
            await web.StartAsync(ct).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new CliException($"REST cannot listen on {config.Listen}: {e.Message} Change 'rest.listen' in gateway.json, or stop the program that has the port.");
        }
    }
}
