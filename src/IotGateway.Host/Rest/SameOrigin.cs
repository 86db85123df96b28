using System.Net;
using IotGateway.Connect.Configs;
using IotGateway.Host.Hosting;

namespace IotGateway.Host.Rest;

/// <summary>
/// Keeps web pages of others from acting through a browser on this machine: a request that names an origin must come from the very
/// address it goes to, and while REST listens on loopback only, it must be addressed to this machine by address or as localhost (a page
/// whose host name was bound anew to 127.0.0.1 is not). Programs send no Origin and are not concerned. Thread-safe.
/// </summary>
static class SameOrigin
{
    public static void Use(WebApplication web, RestConfig config)
    {
        var loopbackOnly = IPAddress.IsLoopback(Settings.Endpoint(config.Listen).Address);
        web.Use(async (context, next) =>
        {
            if (Refusal(context.Request, loopbackOnly) is { } reason)
                await Errors.Result(403, reason).ExecuteAsync(context).ConfigureAwait(false);
            else
                await next(context).ConfigureAwait(false);
        });
    }

    static string? Refusal(HttpRequest request, bool loopbackOnly)
    {
        var host = request.Host;
        if (loopbackOnly && !IPAddress.TryParse(host.Host.Trim('[', ']'), out _) && !host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return $"This gateway is addressed as localhost or by its address, not as '{host.Host}'.";
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase)))
            return $"Pages of '{origin}' may not use this gateway.";
        return null;
    }
}
