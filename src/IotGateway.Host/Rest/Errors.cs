using System.Text.Json;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Rest;

/// <summary>Every answer that is an error has a body, <c>{"error_code","message"}</c>, also where routing or an exception made it. Thread-safe.</summary>
static partial class Errors
{
    /// <summary>Must be the first in line.</summary>
    public static void Use(WebApplication web, ILogger logger) => web.Use(async (context, next) =>
    {
        try
        {
            await next(context).ConfigureAwait(false);
            // Nobody has written a body: no such path, or not with this method.
            if (context.Response is { HasStarted: false, StatusCode: >= 400 and var status, ContentLength: null or 0, ContentType: null })
                await WriteAsync(context, status, Plain(context, status)).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, e.StatusCode, e.Message).ConfigureAwait(false);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            if (e is not (IOException or InvalidOperationException)) Log.Fault(logger, e, context.Request.Method, context.Request.Path);
            await WriteAsync(context, e is IOException or InvalidOperationException ? 503 : 500, e.Message).ConfigureAwait(false);
        }
    });

    /// <summary>An error's body.</summary>
    public static IResult Result(int status, string message) => Results.Text(Body(status, message), "application/json", statusCode: status);

    static string Plain(HttpContext context, int status) => status switch
    {
        404 => $"There is nothing at {context.Request.Path}.",
        405 => $"{context.Request.Method} is not possible at {context.Request.Path}; {context.Response.Headers.Allow} is.",
        _ => $"HTTP {status}",
    };

    static Task WriteAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(Body(status, message), context.RequestAborted);
    }

    static string Body(int status, string message) => new JsonObject { ["error_code"] = status, ["message"] = message }.ToJsonString(Text);

    // For people to read: quotes and umlauts stay what they are. The content type keeps browsers from taking it for HTML.
    static readonly JsonSerializerOptions Text = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "REST: {Method} {Path} failed by a fault in the program; please report it.")]
        public static partial void Fault(ILogger logger, Exception error, string method, string path);
    }
}
