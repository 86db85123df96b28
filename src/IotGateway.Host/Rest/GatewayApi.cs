using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Connect.Tasks;
using IotGateway.Host.Hosting;
using IotGateway.Host.Rest.Metrics;
using IotGateway.Sdk.Config;

namespace IotGateway.Host.Rest;

/// <summary>Our own REST interface under <c>/api</c>, and <c>/health</c>. Errors are <c>{"error_code","message"}</c>, as Kafka Connect's.</summary>
static class GatewayApi
{
    const int MaxBody = 64 << 10; // as in the topic
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    public static void Map(IEndpointRouteBuilder routes, GatewayProcess gateway, MetricsPage page)
    {
        routes.MapGet("/health/live", () => Answer(new JsonObject { ["status"] = "healthy" }));
        routes.MapGet("/health/ready", () => gateway.Log.Accepting
            ? Answer(new JsonObject { ["status"] = "healthy" })
            : Error(503, "The log does not accept data: the disk is full or has failed."));
        routes.MapGet("/metrics", () => Results.Text(page.Render(), MetricsPage.ContentType));
        routes.MapGet("/api/status", () => Answer(gateway.Status()));
        routes.MapGet("/api/connectors", () => Answer(new JsonArray([.. gateway.Worker.Snapshot().Select(StatusJson.Of)])));
        routes.MapGet("/api/connectors/{name}", (string name) => gateway.Worker.Snapshot(name) is { } c ? Answer(StatusJson.Of(c)) : Unknown(name));
        routes.MapPut("/api/connectors/{name}/pause", (string name, CancellationToken ct) => Operate(name, gateway.Worker.PauseAsync(name, ct)));
        routes.MapPut("/api/connectors/{name}/resume", (string name, CancellationToken ct) => Operate(name, gateway.Worker.ResumeAsync(name, ct)));
        routes.MapPut("/api/connectors/{name}/stop", (string name, CancellationToken ct) => Operate(name, gateway.Worker.StopAsync(name, ct)));
        routes.MapPost("/api/connectors/{name}/restart", (string name, CancellationToken ct) => Operate(name, gateway.Worker.RestartAsync(name, null, ct)));
        routes.MapPost("/api/connectors/{name}/test", (string name, CancellationToken ct) => Probe(gateway, name, Probes.TestAsync, ct));
        routes.MapGet("/api/connectors/{name}/browse", (string name, string? parent, CancellationToken ct)
            => Probe(gateway, name, (c, config, context, token) => Probes.BrowseAsync(c, parent, token), ct));
        routes.MapGet("/api/connectors/{name}/read", (string name, string[]? tag, CancellationToken ct)
            => Probe(gateway, name, (c, config, context, token) => Probes.ReadAsync(c, config, context, tag ?? [], token), ct));
        routes.MapPost("/api/commands", (HttpRequest request, string? wait, CancellationToken ct) => Command(gateway, request, wait, ct));
        routes.MapPost("/api/log/backup", (HttpRequest request, CancellationToken ct) => LogOperations.BackupAsync(gateway.Log, request, ct));
        routes.MapPost("/api/log/scrub", (CancellationToken ct) => LogOperations.ScrubAsync(gateway.Log, ct));
        routes.MapPut("/api/kill", async (CancellationToken ct) => { await gateway.Worker.Commands.EngageKillAsync("rest", ct).ConfigureAwait(false); return Results.NoContent(); });
        routes.MapDelete("/api/kill", async (CancellationToken ct) => { await gateway.Worker.Commands.ReleaseKillAsync("rest", ct).ConfigureAwait(false); return Results.NoContent(); });
    }

    static async Task<IResult> Operate(string name, Task<bool> operation)
        => await operation.ConfigureAwait(false) ? Results.Accepted() : Unknown(name);

    static async Task<IResult> Probe(GatewayProcess gateway, string name, ProbeAction action, CancellationToken ct)
    {
        if (gateway.Worker.Snapshot(name) is not { } connector) return Unknown(name);
        try
        {
            return Answer(await gateway.Worker.UseAsync(connector.Config, (c, context, token) => action(c, connector.Config, context, token), ct).ConfigureAwait(false));
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // The caller's mistake, or the device's trouble, told to whoever asked.
            return Error(e is ArgumentException ? 404 : e is NotSupportedException ? 501 : 502, e.Message);
        }
    }

    static async Task<IResult> Command(GatewayProcess gateway, HttpRequest request, string? wait, CancellationToken ct)
    {
        var patience = TimeSpan.Zero;
        if (wait is not null && (!Duration.TryParse(wait, out patience) || patience > LongestWait)) return Error(400, $"'wait' is a time such as 5s, at most 60s, not '{wait}'.");
        if (await BodyAsync(request, ct).ConfigureAwait(false) is not { } body) return Error(413, "A command is at most 64 KiB.");
        JsonObject? command;
        try
        {
            command = JsonNode.Parse(body, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException e)
        {
            return Error(400, $"The body is not JSON: {e.Message}");
        }
        if (command is null) return Error(400, "The body must be a JSON object: a command as in the topic gateway.commands.");
        // Without it nobody's command: it would never have an outcome.
        if (command["gateway"] is not JsonValue named || named.GetValueKind() != JsonValueKind.String)
            return Error(400, "'gateway' is missing: the name of the gateway it is for.");
        command["id"] ??= Guid.NewGuid().ToString("N");
        string? outcome;
        try
        {
            outcome = await gateway.Worker.Commands.SubmitAsync(JsonSerializer.SerializeToUtf8Bytes(command), patience, ct).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            return Error(400, e.Message);
        }
        return outcome is null
            ? Results.Text(new JsonObject { ["id"] = command["id"]!.DeepClone() }.ToJsonString(), "application/json", statusCode: 202)
            : Results.Text(outcome, "application/json");
    }

    /// <summary>The body; null when it is too large.</summary>
    static async Task<byte[]?> BodyAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength > MaxBody) return null;
        using var body = new MemoryStream();
        var part = new byte[4096];
        while (await request.Body.ReadAsync(part, ct).ConfigureAwait(false) is > 0 and var read)
        {
            if (body.Length + read > MaxBody) return null;
            body.Write(part, 0, read);
        }
        return body.ToArray();
    }

    static IResult Answer(JsonNode node) => Results.Text(node.ToJsonString(), "application/json");

    static IResult Unknown(string name) => Error(404, $"Connector {name} not found");

    static IResult Error(int status, string message) => Errors.Result(status, message);
}
