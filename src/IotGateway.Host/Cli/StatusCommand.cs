using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using IotGateway.Host.Hosting;
using Spectre.Console;

namespace IotGateway.Host.Cli;

/// <summary><c>status</c>: how the running gateway is, from its REST interface. Exit 1 when it does not run or something in it fails.</summary>
static class StatusCommand
{
    public static Command Make()
    {
        var (config, rest, json) = (CommonOptions.Config(), CommonOptions.Rest(), CommonOptions.Json());
        var live = new Option<bool>("--live") { Description = "Say nothing; exit 0 when the gateway answers, 1 when not. For health checks." };
        var command = new Command("status", "Shows connectors, devices and the log of the running gateway.") { config, rest, live, json };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var address = Addresses.Rest(r.GetValue(rest), r.GetValue(config)!);
            using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(10) };
            var status = await GetAsync(http, ct).ConfigureAwait(false);
            if (r.GetValue(live)) return ExitCode.Done;
            if (r.GetValue(json)) Console.WriteLine(status.ToJsonString());
            else Show(status);
            return status["connectors"]!.AsArray().Any(c => (string?)c!["state"] is "retrying" or "failed") ? ExitCode.Failed : ExitCode.Done;
        }));
        return command;
    }

    static async Task<JsonObject> GetAsync(HttpClient http, CancellationToken ct)
    {
        try
        {
            return await http.GetFromJsonAsync<JsonObject>("/api/status", ct).ConfigureAwait(false) ?? [];
        }
        catch (HttpRequestException e)
        {
            throw new CliException($"No gateway answers at {http.BaseAddress}: {e.Message}");
        }
        catch (JsonException) // not even JSON
        {
            throw new CliException($"What answers at {http.BaseAddress} is no gateway.");
        }
    }

    static void Show(JsonObject s)
    {
        var log = s["log"]!;
        Screen.Out.MarkupLineInterpolated($"Gateway [bold]{(string?)s["gateway"]}[/] {(string?)s["version"]}, up {(string?)s["uptime"]}; Kafka {(string?)s["broker"]}, REST {(string?)s["rest"]}");
        Screen.Out.MarkupLineInterpolated($"Log {(string?)log["directory"]}: {(long)log["diskBytes"]! / 1048576.0:F1} MiB on disk, {(long)log["topics"]!} topics, accepting: {(bool)log["accepting"]!}, kill switch: {((bool)s["killed"]! ? "ENGAGED" : "off")}");
        if ((double?)log["commitSeconds"] is { } waiting && waiting >= DiskWatch.Long.TotalSeconds)
            Screen.Out.MarkupLineInterpolated($"[red]The disk has not answered for {waiting:F0} s; nothing is acknowledged until it does.[/]");
        var table = new Table().Border(TableBorder.None).AddColumns("connector", "plugin", "state", "in", "out", "lag", "dead", "devices", "last error");
        foreach (var c in s["connectors"]!.AsArray())
        {
            var devices = c!["devices"]!.AsArray();
            table.AddRow([.. new[]
            {
                (string?)c["name"], (string?)c["plugin"], (string?)c["state"], Number(c["recordsIn"]), Number(c["recordsOut"]), Number(c["lag"]), Number(c["deadLetters"]),
                devices.Count == 0 ? "" : $"{devices.Count(d => (string?)d!["state"] == "ok")}/{devices.Count} ok", (string?)c["lastError"],
            }.Select(t => Markup.Escape(t ?? ""))]);
        }
        Screen.Out.Write(table);
        foreach (var c in s["connectors"]!.AsArray())
            foreach (var part in c!["devices"]!.AsArray().Where(d => (string?)d!["state"] is not ("ok" or "disabled")).Concat(c["failingTags"]!.AsArray()).Take(20))
                Screen.Out.MarkupLineInterpolated($"  {(string?)c["name"]}: {(string?)part!["device"]}{((string?)part["tag"] is { } tag ? "/" + tag : "")} {(string?)part["state"]} {(string?)part["code"]} {(string?)part["reason"]}");
    }

    static string Number(JsonNode? node) => ((long?)node ?? 0).ToString("N0", CultureInfo.InvariantCulture);
}
