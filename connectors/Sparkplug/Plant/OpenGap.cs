using System.Text;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>
/// The gap of an edge node from what broke its order until its next birth: one at a time, written when it opens and when it closes, and durable in
/// between, so that a later run closes what an earlier one left open. One thread.
/// </summary>
/// <param name="edge">Which edge node.</param>
/// <param name="device">Its name in the gateway.</param>
/// <param name="rules">What all have in common.</param>
/// <param name="stored">What an earlier run left: the reason of an open gap, empty for none, null for an edge node never met before.</param>
sealed class OpenGap(EdgeKey edge, string device, PlantRules rules, string? stored)
{
    DateTime _from;
    long _lost;
    bool _known = stored is not null;

    /// <summary>Why it is open; null when none is.</summary>
    public string? Reason { get; private set; } = stored is { Length: > 0 } ? stored : null;

    /// <summary>Something more is missing.</summary>
    public void Open(string reason, DateTime from, long lost, PlantOutput output)
    {
        _lost += lost;
        if (Reason is not null)
        {
            rules.Metrics.Lost(rules.Context.Name, lost);
            return;
        }
        rules.Metrics.Gap(rules.Context.Name, lost);
        (Reason, _from) = (reason, from == default ? rules.Context.Time.GetUtcNow().UtcDateTime : from);
        output.Add(new Gap { Device = device, From = _from, Reason = reason });
        Store(reason, output);
    }

    /// <summary>The edge node is born.</summary>
    public void Close(DateTime at, PlantOutput output)
    {
        if (Reason is { } reason) output.Add(new Gap { Device = device, From = _from == default ? at : _from, To = at, Reason = reason, Lost = _lost > 0 ? _lost : null });
        if (Reason is not null || !_known) Store("", output);
        (Reason, _from, _lost) = (null, default, 0);
    }

    void Store(string reason, PlantOutput output)
    {
        _known = true;
        output.Add(new StateChange(PlantRules.StatePrefix + edge, Encoding.UTF8.GetBytes(reason)));
    }
}
