using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>The clients, the same for both programs: librdkafka's <c>rdkafka_performance</c> and Java's perf tools. Each runs in a process of its own.</summary>
sealed partial class Clients(string performance, string kafka)
{
    /// <summary>Produces to partition 0 by librdkafka, acks=all.</summary>
    public Task<TimeSpan> ProduceAsync(string bootstrap, string topic, long records, int size, CancellationToken ct, int? rate = null) => TimedAsync(performance,
        ["-P", "-t", topic, "-p", "0", "-b", bootstrap, "-s", $"{size}", "-c", $"{records}", "-a", "-1", "-q", "-X", "linger.ms=5",
            "-X", "queue.buffering.max.messages=1000000", .. rate is { } r ? new[] { "-r", $"{r}" } : []], ct, said => DeliveredAll(said, records));

    /// <summary>Consumes partition 0 by librdkafka from its beginning.</summary>
    public Task<TimeSpan> ConsumeAsync(string bootstrap, string topic, long records, CancellationToken ct) => TimedAsync(performance,
        ["-C", "-t", topic, "-p", "0", "-b", bootstrap, "-c", $"{records}", "-o", "beginning", "-q"], ct);

    /// <summary>The same as somebody far away would: the client's work is not done where the machine has other work.</summary>
    public Task<TimeSpan> ConsumeAsideAsync(string bootstrap, string topic, long records, CancellationToken ct) => TimedAsync("nice",
        ["-n", "19", performance, "-C", "-t", topic, "-p", "0", "-b", bootstrap, "-c", $"{records}", "-o", "beginning", "-q"], ct);

    /// <summary>Produces by Java's <c>producer-perf</c>; its own time, since starting a JVM takes longer than the work.</summary>
    public async Task<TimeSpan> JavaProduceAsync(string bootstrap, string topic, long records, int size, CancellationToken ct)
    {
        var output = await RunAsync(Path.Combine(kafka, "kafka"), ["producer-perf", "--topic", topic, "--num-records", $"{records}", "--record-size", $"{size}", "--throughput", "-1",
            "--command-property", $"bootstrap.servers={bootstrap}"], ct).ConfigureAwait(false);
        var rate = PerSecond().Matches(output).LastOrDefault()?.Groups[1].Value ?? throw new CliException($"producer-perf printed no rate: {output}");
        return TimeSpan.FromSeconds(records / double.Parse(rate, CultureInfo.InvariantCulture));
    }

    /// <summary>Consumes by Java's <c>consumer-perf</c>.</summary>
    public Task<TimeSpan> JavaConsumeAsync(string bootstrap, string topic, long records, CancellationToken ct)
        => TimedAsync(Path.Combine(kafka, "kafka"), ["consumer-perf", "--bootstrap-server", bootstrap, "--topic", topic, "--num-records", $"{records}"], ct);

    /// <summary>
    /// Whether rdkafka_performance says that every record was delivered. Its exit code says something else: it takes whatever waits in its
    /// client's queue at the end, be it an event, for records that were not sent, and ends with 1.
    /// </summary>
    public static bool DeliveredAll(string said, long records)
        => Delivered().Matches(said).LastOrDefault() is { } last && last.Groups[1].ValueSpan.SequenceEqual(records.ToString(CultureInfo.InvariantCulture)) && last.Groups[2].ValueSpan is "0";

    static async Task<TimeSpan> TimedAsync(string program, string[] arguments, CancellationToken ct, Func<string, bool>? succeeded = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        await RunAsync(program, arguments, ct, succeeded).ConfigureAwait(false);
        return TimeProvider.System.GetElapsedTime(started);
    }

    // 'succeeded' looks at what a client says that did not end with 0.
    static async Task<string> RunAsync(string program, string[] arguments, CancellationToken ct, Func<string, bool>? succeeded = null)
    {
        using var client = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = client.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = client.StandardOutput.ReadToEndAsync(CancellationToken.None);
        try
        {
            await client.WaitForExitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            client.Kill(entireProcessTree: true); // it would go on for ever
            await client.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        var said = await output.ConfigureAwait(false);
        return client.ExitCode == 0 || succeeded?.Invoke(said) == true ? said
            : throw new CliException($"{Path.GetFileName(program)} ended with {client.ExitCode}: {Ends(await error.ConfigureAwait(false))}\n{Ends(said)}");
    }

    // The warnings are about options that only the other kind of client has.
    static string Ends(string said) => string.Join('\n', said.Split('\n').Where(l => l.Length > 0 && !l.Contains("CONFWARN", StringComparison.Ordinal)).TakeLast(5));

    [GeneratedRegex(@"records sent, ([0-9.]+) records/sec")]
    private static partial Regex PerSecond();

    [GeneratedRegex(@"([0-9]+) delivered \(offset -?[0-9]+, ([0-9]+) failed\)")]
    private static partial Regex Delivered();
}
