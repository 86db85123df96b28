using System.Globalization;
using System.Text;
using IotGateway.Connect.EventLog;
using IotGateway.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.EventLog;

/// <summary>
/// What one more record costs on its way from a connector into the log and out of it to a sink, once all has run for a while: all threads' allocations, those of
/// the log among them. See docs/decisions/0009.
/// </summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests(ITestOutputHelper output) : IAsyncLifetime
{
    const int Few = 10, Many = 1000, Rounds = 40;
    readonly string _folder = Directory.CreateTempSubdirectory("iotgateway-allocation-").FullName;
    readonly EventUnit _unit = new();
    LogStore _store = null!;
    EmbeddedEventLog _log = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await LogStore.OpenAsync(new LogOptions { Directory = _folder, WalBytes = 64 << 20, ReserveBytes = 0 }, NullLogger.Instance, TimeProvider.System, Ct);
        _log = new(_store, new() { Name = "plant-test" }, NullLogger<EmbeddedEventLog>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory, InlineData(0), InlineData(2)]
    public async Task Submitting(int headers)
    {
        var each = await PerRecordAsync("submit", headers, records => CostAsync(() => SubmitAsync("in", records, headers)));
        Assert.InRange(each, double.MinValue, 1);
    }

    [Theory, InlineData(0, 112), InlineData(2, 400)]
    public async Task Reading(int headers, int most)
    {
        await using var reader = _log.Read("sink", static topic => topic == "out", fromEnd: false);
        var each = await PerRecordAsync("read", headers, async records =>
        {
            await SubmitAsync("out", records, headers);
            return await CostAsync(async () =>
            {
                for (var left = records; left > 0;) left -= (await reader.ReadAsync(records, 4 << 20, Ct)).Count;
                reader.Release();
            });
        });
        Assert.InRange(each, double.MinValue, most);
    }

    async Task<double> PerRecordAsync(string what, int headers, Func<int, Task<long>> once)
    {
        var each = new List<double>();
        for (var attempt = 0; attempt < 12; attempt++)
        {
            long few = 0, many = 0;
            for (var i = 0; i < Rounds; i++) (few, many) = (few + await once(Few), many + await once(Many));
            var more = (many - few) / (double)(Rounds * (Many - Few));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}, {headers} headers: {few / Rounds} bytes a unit of {Few}, {many / Rounds} of {Many}: {more:0.0} a record more"));
            if (attempt > 0) each.Add(more); // the first fills the buffers
        }
        return each.Order().ElementAt(each.Count / 2);
    }

    static async Task<long> CostAsync(Func<Task> step)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await step();
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    async Task SubmitAsync(string topic, int records, int headers)
    {
        _unit.Clear();
        for (var i = 0; i < records; i++)
        {
            _unit.Begin(topic, i);
            _unit.Key("press1/temperature"u8);
            if (headers > 0) _unit.Header("gatewayTime", "2026-11-20T08:00:00.123456Z"u8);
            if (headers > 1) _unit.Header("connector", "press-line"u8);
            _unit.BeginValue();
            Encoding.UTF8.GetBytes("""{"device":"press1","tag":"temperature","type":"float32","value":21.1,"unit":"°C","quality":"good","time":"2026-11-20T08:00:00.123456Z"}""", _unit);
            _unit.EndValue();
            _unit.End();
        }
        await _log.CommitAsync(_unit, Ct);
    }
}
