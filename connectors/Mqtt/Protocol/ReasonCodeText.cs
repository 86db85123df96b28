using System.Globalization;

namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>Reason codes as people read them. Pure.</summary>
static class ReasonCodeText
{
    /// <summary>For instance <c>0x87 not authorized</c>: the number is what specifications and broker logs name.</summary>
    public static string Text(this ReasonCode code) => string.Create(CultureInfo.InvariantCulture, $"0x{(byte)code:x2} {Words(code)}");

    /// <summary>The stable code of health reports, for instance <c>mqtt:0x87</c>.</summary>
    public static string Code(this ReasonCode code) => string.Create(CultureInfo.InvariantCulture, $"mqtt:0x{(byte)code:x2}");

    /// <summary>A return code of MQTT 3.1.1 CONNACK (§3.2.2.3) as the version 5 reason that means the same.</summary>
    public static ReasonCode FromReturnCode(byte code) => code switch
    {
        0 => ReasonCode.Success,
        1 => ReasonCode.UnsupportedProtocolVersion,
        2 => ReasonCode.ClientIdNotValid,
        3 => ReasonCode.ServerUnavailable,
        4 => ReasonCode.BadUserNameOrPassword,
        5 => ReasonCode.NotAuthorized,
        _ => throw new MqttProtocolException(ReasonCode.ProtocolError),
    };

    /// <summary>The inverse of <see cref="FromReturnCode"/>; what has no counterpart is 3, server unavailable.</summary>
    public static byte ToReturnCode(ReasonCode code) => code switch
    {
        ReasonCode.Success => 0,
        ReasonCode.UnsupportedProtocolVersion => 1,
        ReasonCode.ClientIdNotValid => 2,
        ReasonCode.BadUserNameOrPassword => 4,
        ReasonCode.NotAuthorized => 5,
        _ => 3,
    };

    static string Words(ReasonCode code)
    {
        if (!Enum.IsDefined(code)) return "unknown reason";
        var name = code.ToString();
        var words = new System.Text.StringBuilder(name.Length + 8);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterUpper(c) && words.Length > 0) words.Append(' ');
            words.Append(char.ToLowerInvariant(c));
        }
        return words.ToString();
    }
}
