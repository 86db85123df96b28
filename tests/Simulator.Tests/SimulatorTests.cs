using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using IotGateway.Connectors.Simulator;
using IotGateway.Connectors.Simulator.Line;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Testing;

namespace Simulator.Tests;

public sealed class SimulatorTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static async Task<SimulatorConnector> OpenAsync(SimulatorConfig config, FakeContext? context = null)
    {
        var simulator = (SimulatorConnector)new SimulatorFactory().Create(config, context ?? new FakeContext(new DurableStore()));
        await simulator.OpenAsync(OpenMode.Run, Ct);
        return simulator;
    }

    static SimulatorConfig Config => new() { Listen = "127.0.0.1:0" };

    /// <summary>Runs Debian's mbpoll, an independent client on libmodbus; returns its output and exit code.</summary>
    static async Task<(string Output, int Code)> MbpollAsync(int port, params string[] arguments)
    {
        if (!File.Exists("/usr/bin/mbpoll")) Assert.Skip("mbpoll is not installed.");
        var info = new ProcessStartInfo("/usr/bin/mbpoll") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-m", "tcp", "-p", port.ToString(CultureInfo.InvariantCulture), "-0", "-1", "-q", .. arguments]) info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync(Ct);
        var errors = process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        return (await output + await errors, process.ExitCode);
    }

    [Fact]
    public async Task Mbpoll_reads_its_registers_and_writes_its_setpoint()
    {
        await using var simulator = await OpenAsync(Config);
        var temperature = await MbpollAsync(simulator.Port, "-a", "1", "-r", "100", "-c", "2", "-t", "4:float", "-B", "127.0.0.1");
        Assert.Equal(0, temperature.Code);
        var values = temperature.Output.Split('\n').Where(l => l.StartsWith('[')).Select(l => float.Parse(l.Split(':')[1], CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(values[0], 15, 80);
        Assert.InRange(values[1], 1, 250);

        Assert.Contains("600", (await MbpollAsync(simulator.Port, "-a", "2", "-r", "200", "127.0.0.1")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await MbpollAsync(simulator.Port, "-a", "2", "-r", "200", "127.0.0.1", "655")).Code);
        Assert.Contains("655", (await MbpollAsync(simulator.Port, "-a", "2", "-r", "200", "127.0.0.1")).Output, StringComparison.Ordinal);
        Assert.Contains("600", (await MbpollAsync(simulator.Port, "-a", "1", "-r", "200", "127.0.0.1")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mbpoll_is_told_what_does_not_exist()
    {
        await using var simulator = await OpenAsync(Config);
        Assert.Contains("Illegal data address", (await MbpollAsync(simulator.Port, "-a", "1", "-r", "99", "127.0.0.1")).Output, StringComparison.Ordinal);
        Assert.Contains("Illegal data value", (await MbpollAsync(simulator.Port, "-a", "1", "-r", "200", "127.0.0.1", "1501")).Output, StringComparison.Ordinal);
        Assert.Contains("Target device failed to respond", (await MbpollAsync(simulator.Port, "-a", "3", "-r", "100", "127.0.0.1")).Output, StringComparison.Ordinal);
        Assert.Contains("Illegal data address", (await MbpollAsync(simulator.Port, "-a", "1", "-r", "100", "127.0.0.1", "7")).Output, StringComparison.Ordinal);
        var coil = await MbpollAsync(simulator.Port, "-a", "1", "-r", "0", "-t", "0", "127.0.0.1");
        Assert.Contains("1", coil.Output.Split("[0]:")[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_ends_one_client_and_disturbs_no_other()
    {
        await using var simulator = await OpenAsync(Config);
        using var good = new TcpClient("127.0.0.1", simulator.Port);
        using var bad = new TcpClient("127.0.0.1", simulator.Port);
        await bad.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), Ct);
        Assert.Equal(0, await bad.GetStream().ReadAsync(new byte[10], Ct));
        // Two requests in one segment, the second in two: three answers' worth of framing.
        byte[] request = [0, 1, 0, 0, 0, 6, 1, 3, 0, 200, 0, 2];
        await good.GetStream().WriteAsync(request.Concat(request[..5]).ToArray(), Ct);
        await good.GetStream().WriteAsync(request.AsMemory(5), Ct);
        var replies = new byte[26];
        await good.GetStream().ReadExactlyAsync(replies, Ct);
        Assert.Equal("00010000000701030402580258", Convert.ToHexString(replies.AsSpan(0, 13)));
    }

    [Fact]
    public void The_same_seed_makes_the_same_day()
    {
        static List<string> Day(int seed)
        {
            var line = new PressLine(2, seed);
            return [.. Enumerable.Range(0, 20_000).SelectMany(_ => line.Advance().ToArray())];
        }
        var day = Day(7);
        Assert.Equal(day, Day(7));
        Assert.NotEqual(day, Day(8));
        Assert.Contains(day, e => e.StartsWith("INFO press2 stroke 900 ", StringComparison.Ordinal));
        Assert.Contains(day, e => e.Contains("guard opened", StringComparison.Ordinal));
    }

    [Fact]
    public void The_setpoint_is_followed_within_two_seconds()
    {
        var press = new Press(1, 1) { Setpoint = 80 };
        List<string> log = [];
        for (var i = 0; i < 2 / PressLine.Step.TotalSeconds; i++) press.Advance(PressLine.Step.TotalSeconds, log);
        Assert.InRange(press.SetpointActual, 79.5, 80.5);
        for (var i = 0; i < 600 / PressLine.Step.TotalSeconds; i++) press.Advance(PressLine.Step.TotalSeconds, log);
        Assert.True(press.Alarms.HasFlag(PressAlarms.Overtemperature));
        Assert.Contains(log, e => e.StartsWith("ERROR press1 temperature", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Its_log_grows_and_rotates()
    {
        var folder = Directory.CreateTempSubdirectory("simulator");
        var path = Path.Combine(folder.FullName, "sub", "press.log");
        var time = new ManualTime();
        await using (await OpenAsync(Config with { LogFile = path, RotateAt = new ByteSize(4096) }, new FakeContext(new DurableStore(), time: time)))
        {
            var patience = TimeProvider.System.GetTimestamp();
            while (!File.Exists(path + ".1"))
            {
                Assert.InRange(TimeProvider.System.GetElapsedTime(patience), TimeSpan.Zero, TimeSpan.FromSeconds(20));
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(1, Ct);
            }
        }
        Assert.InRange(new FileInfo(path + ".1").Length, 4096, 4096 + 200);
        // The press may have been behind, and have filled more than one file since: what is left runs on from one to the other.
        var strokes = (await File.ReadAllLinesAsync(path + ".1", Ct)).Concat(await File.ReadAllLinesAsync(path, Ct))
            .Select(l => Regex.Match(l, @"^2026-11-20T\d\d:\d\d:\d\d\.\d{3}Z INFO press(?<press>\d) stroke (?<stroke>\d+) force \d+\.\d kN temperature \d+\.\d$")).Where(m => m.Success)
            .GroupBy(m => m.Groups["press"].Value, m => int.Parse(m.Groups["stroke"].ValueSpan, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(2, strokes.Count);
        Assert.All(strokes, press => Assert.Equal(Enumerable.Range(press.First(), press.Count()), press));
        Assert.InRange(strokes.Sum(p => p.Count()), 4096 / 100, int.MaxValue);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task It_publishes_how_much_it_served()
    {
        var store = new DurableStore();
        var time = new ManualTime();
        await using var simulator = await OpenAsync(Config, new FakeContext(store, time: time));
        await using var readings = simulator.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        Assert.True(await readings.MoveNextAsync());
        Assert.Equal(0, readings.Current.Readings[0].Value.AsInt64);
        await MbpollAsync(simulator.Port, "-a", "1", "-r", "200", "127.0.0.1");
        var next = readings.MoveNextAsync();
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(await next);
        Assert.Equal(1, readings.Current.Readings[0].Value.AsInt64);
        Assert.Equal("simulator/requests", readings.Current.Readings[0].Tag.ToString());
    }

    [Fact]
    public async Task A_taken_port_says_which_setting_to_change()
    {
        await using var first = await OpenAsync(Config);
        var error = await Assert.ThrowsAsync<IOException>(() => OpenAsync(Config with { Listen = $"127.0.0.1:{first.Port}" }));
        Assert.Contains("'listen'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_closes_promptly_and_frees_its_port()
    {
        var first = await OpenAsync(Config);
        using var client = new TcpClient("127.0.0.1", first.Port);
        var port = first.Port;
        await first.CloseAsync(CloseReason.Stop, Ct);
        await first.DisposeAsync();
        await using var second = await OpenAsync(Config with { Listen = $"127.0.0.1:{port}" });
        Assert.Equal(port, second.Port);
    }
}
