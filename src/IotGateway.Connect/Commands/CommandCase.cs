using System.Text.Json;
using IotGateway.Connect.Tasks;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Commands;

/// <summary>One command on its way through the checks: what it is, whom it concerns, and how far it got. One thread at a time.</summary>
sealed class CommandCase(string gateway, SinkRecord? record, CommandRequest request, string principal, DateTimeOffset received)
{
    public SinkRecord? Record => record;
    public CommandRequest Request => request;
    public string Principal => principal;

    /// <summary>The command as it came, for the durable intent.</summary>
    public JsonElement Content { get; init; }

    /// <summary>Set by the allow-list check.</summary>
    public ConnectorHost? Host { get; set; }
    public TagDefinition? Definition { get; set; }
    public Value Value { get; set; }

    /// <summary>The gate let it pass.</summary>
    public bool Sent { get; set; }
    public DateTimeOffset? IntentAt { get; set; }
    public DateTimeOffset? SentAt { get; set; }
    public DateTimeOffset? AnsweredAt { get; set; }

    public Outcome Outcome(string status, string? check = null, string? reason = null, string? code = null, Value observed = default) => new()
    {
        Gateway = gateway, Id = request.Id, Connector = request.Connector, Device = request.Device, Tag = request.Tag ?? request.Method,
        Status = status, Check = check, Reason = reason, Code = code, Sent = Sent, DryRun = request.DryRun, Issuer = request.Issuer, Principal = principal,
        Requested = request.Value.ValueKind == JsonValueKind.Undefined ? null : request.Value,
        Observed = CommandJson.Of(observed),
        Times = new()
        {
            Issued = CommandJson.Time(request.IssuedAt), Received = CommandJson.Time(received), Intent = Time(IntentAt),
            Sent = Time(SentAt), Answered = Time(AnsweredAt),
        },
    };

    public Outcome Refused(string check, string reason) => Outcome("refused", check, reason);

    public Outcome Expired(string check, string reason) => Outcome("expired", check, reason);

    static string? Time(DateTimeOffset? time) => time is { } t ? CommandJson.Time(t) : null;
}
