using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Model;
using IotGateway.Connectors.Modbus.Planning;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus;

/// <summary>Reads tags from their devices now, ahead of polling. A failure is a bad reading, never an exception. Thread-safe.</summary>
internal sealed class FreshReader(ModbusModel model, Func<EndpointModel, Bus> bus, TimeProvider time)
{
    /// <summary>One reading per tag, in the order asked.</summary>
    public async ValueTask<IReadOnlyList<Reading>> ReadAsync(IReadOnlyList<Tag> tags, CancellationToken ct)
    {
        var readings = new Reading[tags.Count];
        var wanted = new List<(EndpointModel Endpoint, TagPoint Point, int Index)>();
        for (var i = 0; i < tags.Count; i++)
        {
            if (!model.TryFind(tags[i], out var endpoint, out var point)) readings[i] = Reading.Bad(tags[i], "modbus:not-configured", Utc);
            else if (point.Device.Broadcasts) readings[i] = Reading.Bad(tags[i], "modbus:broadcast", Utc);
            else wanted.Add((endpoint, point, i));
        }
        await Task.WhenAll(wanted.GroupBy(w => w.Endpoint).Select(g => ReadEndpointAsync(g.Key, [.. g.Select(w => (w.Point, w.Index))], readings, ct))).ConfigureAwait(false);
        return readings;
    }

    DateTime Utc => time.GetUtcNow().UtcDateTime;

    async Task ReadEndpointAsync(EndpointModel endpoint, (TagPoint Point, int Index)[] wanted, Reading[] readings, CancellationToken ct)
    {
        foreach (var group in wanted.GroupBy(w => (w.Point.Device.Unit, w.Point.Area)))
        {
            var items = group.ToArray();
            foreach (var request in Planner.Plan([.. items.Select(w => w.Point.Span)], Rules(model.Config, group.Key.Area)))
                await ReadBlockAsync(bus(endpoint), request.Span, [.. request.Items.Select(i => items[i])], readings, ct).ConfigureAwait(false);
        }
    }

    // Nothing between the tags is read here, so a refusal is about one of them; then each is asked for alone.
    static PlanRules Rules(ModbusConfig config, Area area) => new(config.RequestCost, 1, area.IsBits() ? config.MaxBits : config.MaxRegisters, 0);

    async ValueTask ReadBlockAsync(Bus to, Span span, (TagPoint Point, int Index)[] items, Reading[] readings, CancellationToken ct)
    {
        var request = Request.Read(items[0].Point.Device.Unit, items[0].Point.Area, span.Start, span.Length);
        var (result, data) = await SendAsync(to, request, ct).ConfigureAwait(false);
        if (items.Length > 1 && result.Exception is ExceptionCode.IllegalDataAddress or ExceptionCode.IllegalDataValue && items.Any(i => i.Point.Span != span))
        {
            foreach (var item in items) await ReadBlockAsync(to, item.Point.Span, [item], readings, ct).ConfigureAwait(false);
            return;
        }
        foreach (var (point, index) in items)
        {
            if (result.Status != ExchangeStatus.Ok)
            {
                readings[index] = Reading.Bad(point.Tag, result.Code, Utc);
                continue;
            }
            var value = point.Decode(data, span.Start);
            readings[index] = new(point.Tag, value, DateTime.MinValue, Utc) { Label = point.Conversion.Label(value) };
        }
    }

    async ValueTask<(ExchangeResult Result, byte[] Data)> SendAsync(Bus to, Request request, CancellationToken ct)
    {
        var slot = await to.TakeAsync(Priority.Read, ct).ConfigureAwait(false);
        try
        {
            var result = new ExchangeResult(ExchangeStatus.Lost);
            for (var attempt = 0; attempt < 2 && result.Status == ExchangeStatus.Lost; attempt++)
            {
                var connection = await to.ConnectAsync(patient: false, ct).ConfigureAwait(false);
                result = await slot.RunAsync(connection, request, model.Config.Timeout, ct).ConfigureAwait(false);
            }
            return (result, slot.Data.ToArray());
        }
        catch (BusException)
        {
            return (new(ExchangeStatus.Lost), []);
        }
        finally
        {
            to.Return(slot);
        }
    }
}
