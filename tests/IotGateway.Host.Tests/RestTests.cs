using System.Text;
using System.Text.Json.Nodes;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Plugins;
using IotGateway.Host.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Host.Tests;

/// <summary>The REST interface of a gateway without connectors, in this process.</summary>
public sealed class RestTests : IAsyncLifetime
{
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-rest-").FullName;
    readonly HttpClient _http = new();
    GatewayProcess _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "gateway.json"),
            """{ "name": "plant", "log": { "walSize": "16MiB", "reserve": "16MiB" }, "broker": { "listen": "127.0.0.1:0" }, "rest": { "listen": "127.0.0.1:0" }, "commands": { "trustClock": true } }""");
        var plugins = PluginCatalog.Of();
        _gateway = await GatewayProcess.StartAsync(ConfigFolder.Load(_folder, plugins), plugins, Path.Combine(_folder, "data"), NullLoggerFactory.Instance, CancellationToken.None);
        _http.BaseAddress = new("http://" + _gateway.Rest);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _gateway.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("http://evil.example", null, 403)]
    [InlineData("null", null, 403)]
    [InlineData(null, "evil.example", 403)]
    [InlineData("http://evil.example", "evil.example", 403)]
    [InlineData(null, "localhost", 200)]
    [InlineData(null, null, 200)]
    public async Task Pages_of_others_cannot_act_through_a_browser(string? origin, string? host, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/status");
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (host is not null) request.Headers.Host = host + ":" + _http.BaseAddress!.Port;
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task Its_own_pages_may()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/status");
        request.Headers.Add("Origin", "http://" + _gateway.Rest);
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
    }

    static readonly string Large = "{\"gateway\":\"plant\",\"id\":\"" + new string('a', 70_000) + "\"}";

    [Theory]
    [InlineData("GET", "/nothing", null, 404)]
    [InlineData("POST", "/api/status", null, 405)]
    [InlineData("GET", "/api/connectors/none", null, 404)]
    [InlineData("PUT", "/api/connectors/none/pause", null, 404)]
    [InlineData("GET", "/api/connectors/none/read", null, 404)]
    [InlineData("POST", "/api/commands", "{", 400)]
    [InlineData("POST", "/api/commands", "[1]", 400)]
    [InlineData("POST", "/api/commands", "", 400)]
    [InlineData("POST", "/api/commands", "{\"a\":1,\"a\":2}", 400)]
    [InlineData("POST", "/api/commands", "{\"id\":\"x\"}", 400)]
    [InlineData("POST", "/api/commands", "{\"gateway\":\"plant\",\"id\":5}", 400)]
    [InlineData("POST", "/api/commands?wait=soon", "{\"gateway\":\"plant\"}", 400)]
    [InlineData("POST", "/api/commands?wait=1h", "{\"gateway\":\"plant\"}", 400)]
    [InlineData("POST", "/api/commands", "large", 413)]
    public async Task Every_error_has_its_status_and_a_body_that_says_why(string method, string path, string? body, int status)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (body is not null) request.Content = new StringContent(body == "large" ? Large : body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal((status, "application/json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Equal(status, (int)answer["error_code"]!);
        Assert.NotEqual("", (string)answer["message"]!);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_cut_off_where_it_is_too_large()
    {
        using var content = new StreamContent(new MemoryStream(new byte[200_000]));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/commands") { Content = content };
        request.Headers.TransferEncodingChunked = true;
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(413, (int)response.StatusCode);
    }

    [Fact]
    public async Task The_kill_switch_is_engaged_and_released()
    {
        (await _http.PutAsync("/api/kill", null, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        Assert.True((bool)JsonNode.Parse(await _http.GetStringAsync("/api/status", TestContext.Current.CancellationToken))!["killed"]!);
        (await _http.DeleteAsync("/api/kill", TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        Assert.False((bool)JsonNode.Parse(await _http.GetStringAsync("/api/status", TestContext.Current.CancellationToken))!["killed"]!);
    }

    [Fact]
    public async Task Metrics_are_served_as_Prometheus_reads_them()
    {
        using var response = await _http.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var lines = (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n');
        Assert.Contains("iotgateway_log_accepting 1", lines);
        Assert.All(lines.Where(l => l.Length > 0 && l[0] != '#'), l => Assert.Matches("^[a-z_]+({([a-z_]+=\"[^\"]*\",?)+})? [-+0-9.eEInf]+$", l));
    }
}
