using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Modbus.Client;

/// <summary>How an exchange ended.</summary>
internal enum ExchangeStatus
{
    /// <summary>The reply to the request; for a read with its data.</summary>
    Ok,

    /// <summary>The device refused, with a code.</summary>
    Exception,

    /// <summary>No reply in time.</summary>
    Timeout,

    /// <summary>The connection broke after something was sent.</summary>
    Lost,

    /// <summary>What came under the request's id was not its reply, or no Modbus; the connection was dropped.</summary>
    Mismatch,

    /// <summary>A broadcast was sent; no reply ever comes.</summary>
    Broadcast,
}

/// <summary>Result of an exchange.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Exception">The device's code, where it refused.</param>
internal readonly record struct ExchangeResult(ExchangeStatus Status, ExceptionCode Exception = ExceptionCode.None)
{
    /// <summary>As written to records and outcomes. Does not allocate.</summary>
    public string Code => Status switch
    {
        ExchangeStatus.Ok => "modbus:ok",
        ExchangeStatus.Exception => Exception.Status(),
        ExchangeStatus.Timeout => "modbus:timeout",
        ExchangeStatus.Lost => "modbus:unreachable",
        ExchangeStatus.Broadcast => "modbus:broadcast",
        _ => "modbus:mismatch",
    };

    /// <summary>In words, for a plant engineer.</summary>
    public string Words => Status switch
    {
        ExchangeStatus.Ok => "answered",
        ExchangeStatus.Exception => Exception.Words(),
        ExchangeStatus.Timeout => "no answer in time",
        ExchangeStatus.Lost => "the connection broke",
        ExchangeStatus.Broadcast => "sent to all units; none answers a broadcast",
        _ => "the answer does not belong to the request; the connection was dropped",
    };
}
