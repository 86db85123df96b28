using IotGateway.Connect.Configs;
using IotGateway.Connect.Tasks;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Commands;

/// <summary>
/// The checks a command must pass, each answering with the outcome that ends it, or null. Those before the lane and those at the gate
/// are the same where the order of the checks asks for them twice. Thread-safe; no I/O.
/// </summary>
sealed class CommandChecks(Shared shared, CommandsConfig config, CommandSwitches switches, SendLimits limits, Func<string, ConnectorHost?> find)
{
    static readonly TimeSpan IssuerSlack = TimeSpan.FromSeconds(5); // between the issuer's clock and ours

    /// <summary>Before the lane: deadline, kill switch, allow-list, precondition.</summary>
    public Outcome? Admit(CommandCase c, bool beforeStart)
    {
        if (switches.ClockRefusal() is { } clock) return c.Refused("clock-untrusted", clock);
        var target = Target(c);
        // The rule decides whether it may wait; everything it refuses comes in its order below.
        if (beforeStart && c.Definition?.Write?.WhenOffline != WhenOffline.Wait)
            return c.Expired("restart", "It was written before the gateway started.");
        return Deadline(c) ?? Ttl(c) ?? Switches(c) ?? target ?? Precondition(c);
    }

    /// <summary>In the lane, just before the first byte; counts against the rate when all others pass. The allow-list may have changed since.</summary>
    public Outcome? AtGate(CommandCase c) => Deadline(c) ?? Switches(c) ?? Target(c) ?? Step(c) ?? Precondition(c) ?? Rate(c);

    /// <summary>Once more when the intent is on disk.</summary>
    public Outcome? AfterIntent(CommandCase c) => Deadline(c) ?? Switches(c);

    public Outcome? Deadline(CommandCase c)
        => shared.Time.GetUtcNow() >= c.Request.Deadline ? c.Expired("deadline", "Its deadline has passed.") : null;

    public Outcome? Switches(CommandCase c) => switches.Refusal() is var (check, reason) ? c.Refused(check, reason) : null;

    Outcome? Ttl(CommandCase c)
    {
        var now = shared.Time.GetUtcNow();
        // Also against our own clock: an issuer in the future could stretch it.
        var life = c.Request.Deadline - (c.Request.IssuedAt < now + IssuerSlack ? c.Request.IssuedAt : now);
        return life > config.MaxTtl || c.Request.Deadline - now > config.MaxTtl + IssuerSlack
            ? c.Refused("ttl", $"It may live {life.TotalSeconds:0.###} s; the most allowed is {config.MaxTtl.TotalSeconds:0.###} s (commands.maxTtl).") : null;
    }

    /// <summary>The allow-list as configured now; resolves connector, tag and value on the way.</summary>
    public Outcome? Target(CommandCase c)
    {
        var r = c.Request;
        if (find(r.Connector) is not { } host || !host.Config.Common.Enabled) return c.Refused("connector", $"There is no connector '{r.Connector}' running here.");
        c.Host = host;
        if (r.Tag is null) return c.Refused("allow-list", $"Method '{r.Method}' is not allowed.");
        c.Definition = host.Definition(r.Device, r.Tag);
        if (c.Definition is not { Write: { } rule } definition) return c.Refused("allow-list", $"'{r.Device}/{r.Tag}' has no write rule in '{r.Connector}'.");
        if (!CommandValue.TryConvert(r.Value, definition.Type, out var value)) return c.Refused("type", $"{r.Value.GetRawText()} is no {TypeName(definition.Type)}.");
        c.Value = value;
        if (rule.Min is null && rule.Max is null) return null;
        if (CommandValue.AsDecimal(value) is not { } number) return c.Refused("range", $"{value} cannot be compared with the limits.");
        if (number < rule.Min) return c.Refused("range", $"{value} is below the smallest allowed, {rule.Min}.");
        return number > rule.Max ? c.Refused("range", $"{value} is above the largest allowed, {rule.Max}.") : null;
    }

    Outcome? Step(CommandCase c)
    {
        if (c.Definition!.Write!.MaxStep is not { } step) return null;
        if (Last(c, c.Request.Tag!) is not { } last || CommandValue.AsDecimal(last.Value) is not { } before || CommandValue.AsDecimal(c.Value) is not { } wanted)
            return c.Refused("step", "The largest step is limited, and no good last value is known.");
        return Math.Abs(wanted - before) > step ? c.Refused("step", $"From {before} to {wanted} is more than the largest step, {step}.") : null;
    }

    Outcome? Precondition(CommandCase c)
    {
        if (c.Request.Precondition is not { } condition) return null;
        if (Last(c, condition.Tag) is not { } last) return c.Refused("precondition", $"No good value of '{condition.Tag}' is known.");
        var age = shared.Time.GetUtcNow().UtcDateTime - last.GatewayTime;
        if (age > condition.MaxAge) return c.Refused("precondition", $"The value of '{condition.Tag}' is {age.TotalSeconds:0.###} s old; at most {condition.MaxAge.TotalSeconds:0.###} s are allowed.");
        return CommandValue.TryConvert(condition.EqualTo, last.Value.Type, out var wanted) && CommandValue.Near(wanted, last.Value, 0)
            ? null : c.Refused("precondition", $"'{condition.Tag}' is {last.Value}, not {condition.EqualTo.GetRawText()}.");
    }

    Outcome? Rate(CommandCase c)
        => c.Definition!.Write!.Rate is { } rate && !limits.Allows(c.Request.Device, c.Request.Tag!, rate, count: !c.Request.DryRun)
            ? c.Refused("rate", $"More than {rate} for this tag.") : null;

    Reading? Last(CommandCase c, string name)
        => shared.Tags.Find(c.Request.Device, name) is { } tag && shared.Tags.TryGetLast(tag, out var last)
            && last.Quality != Quality.Bad && !last.Value.IsNone ? last : null;

    static string TypeName(DataType type) => type.ToString().ToLowerInvariant();
}
