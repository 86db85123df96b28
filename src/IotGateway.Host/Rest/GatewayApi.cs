using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Connect.Tasks;
using IotGateway.Host.Hosting;
using IotGateway.Sdk.Config;

namespace IotGateway.Host.Rest;

/// <summary>Our own REST interface under <c>/api</c>, and <c>/health</c>. Errors are <c>{"error_code","message"}</c>, as Kafka Connect's.</summary>
static class GatewayApi
{
    const int MaxBody = 1 << 20;
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    public static void Map(IEndpointRouteBuilder routes, GatewayProcess gateway)
    {
        routes.MapGet("/health/live", () => Answer(new JsonObject { ["status"] = "healthy" }));
        routes.MapGet("/health/ready", () => gateway.Log.Accepting
            ? Answer(new JsonObject { ["status"] = "healthy" })
            : Error(503, "The log does not accept data: the disk is full or has failed."));
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
            return Error(502, e.Message); // the device's trouble, told to whoever asked
        }
    }

    static async Task<IResult> Command(GatewayProcess gateway, HttpRequest request, string? wait, CancellationToken ct)
    {
        var patience = TimeSpan.Zero;
        if (wait is not null && (!Duration.TryParse(wait, out patience) || patience > LongestWait)) return Error(400, $"'wait' is a time such as 5s, at most 60s, not '{wait}'.");
        using var body = new MemoryStream();
        if (request.ContentLength > MaxBody) return Error(413, "A command is at most 1 MiB.");
        await request.Body.CopyToAsync(body, ct).ConfigureAwait(false);
        if (body.Length > MaxBody) return Error(413, "A command is at most 1 MiB.");
        JsonObject? command;
        try { command = JsonNode.Parse(body.ToArray()) as JsonObject; }
        catch (JsonException e) { return Error(400, $"The body is not JSON: {e.Message}"); }
        if (command is null) return Error(400, "The body must be a JSON object: a command as in the topic gateway.commands.");
        command["id"] ??= Guid.NewGuid().ToString("N");
        var outcome = await gateway.Worker.Commands.SubmitAsync(JsonSerializer.SerializeToUtf8Bytes(command), patience, ct).ConfigureAwait(false);
        return outcome is null
            ? Results.Text(new JsonObject { ["id"] = command["id"]!.DeepClone() }.ToJsonString(), "application/json", statusCode: 202)
            : Results.Text(outcome, "application/json");
    }

    static IResult Answer(JsonNode node) => Results.Text(node.ToJsonString(), "application/json");

    static IResult Unknown(string name) => Error(404, $"Connector {name} not found");

    static IResult Error(int status, string message)
        => Results.Text(new JsonObject { ["error_code"] = status, ["message"] = message }.ToJsonString(), "application/json", statusCode: status);
}
