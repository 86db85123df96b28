using System.Text.Json;
using IotGateway.Log;

namespace IotGateway.Host.Rest;

/// <summary><c>POST /api/log/backup</c> <c>{"directory": "/abs/path"}</c> and <c>POST /api/log/scrub</c>: answered when done. Stateless.</summary>
static class LogOperations
{
    public static async Task<IResult> BackupAsync(LogStore log, HttpRequest request, CancellationToken ct)
    {
        string? directory;
        try
        {
            using var body = await JsonDocument.ParseAsync(request.Body, default, ct).ConfigureAwait(false);
            directory = body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("directory", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException e)
        {
            return Errors.Result(400, $"The body is not JSON: {e.Message}");
        }
        if (directory is null || !Path.IsPathRooted(directory)) return Errors.Result(400, "'directory' is missing: the absolute path of a folder that is missing or empty.");
        try
        {
            return Results.Json(await log.BackupAsync(directory, ct).ConfigureAwait(false), JsonSerializerOptions.Web);
        }
        catch (ArgumentException e)
        {
            return Errors.Result(409, e.Message);
        }
        catch (IOException e)
        {
            return Errors.Result(500, e.Message);
        }
    }

    public static async Task<IResult> ScrubAsync(LogStore log, CancellationToken ct)
    {
        try
        {
            return Results.Json(await log.ScrubAsync(ct).ConfigureAwait(false), JsonSerializerOptions.Web);
        }
        catch (IOException e)
        {
            return Errors.Result(500, e.Message);
        }
    }
}
