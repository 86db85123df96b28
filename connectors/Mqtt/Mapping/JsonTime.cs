using System.Globalization;
using System.Text.Json;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt.Mapping;

/// <summary>Where a payload holds the time of its values, and how it is written. Immutable.</summary>
sealed class JsonTime(MqttTimestamp config)
{
    readonly JsonPath _path = JsonPath.TryParse(config.Path, out var error) ?? throw new PermanentException(error!);

    /// <summary>The time of a match; <see cref="DateTime.MinValue"/> when the field is not there. False when it is there and no time.</summary>
    public bool TryRead(JsonElement root, JsonElement element, out DateTime time)
    {
        time = DateTime.MinValue;
        if (!_path.TryFind(_path.IsRelative ? element : root, out var field) || field.ValueKind == JsonValueKind.Null) return true;
        if (JsonValues.Text(field) is not { } text) return false;
        if (config.Format == MqttTimeFormat.Iso)
            return field.ValueKind == JsonValueKind.String
                && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out time) && time > DateTime.MinValue;
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return false;
        var most = config.Format switch { MqttTimeFormat.EpochS => TimeSpan.TicksPerSecond, MqttTimeFormat.EpochMs => TimeSpan.TicksPerMillisecond, _ => TimeSpan.TicksPerMicrosecond };
        if (Math.Abs(number) > (DateTime.MaxValue - DateTime.UnixEpoch).Ticks / (decimal)most) return false;
        var ticks = DateTime.UnixEpoch.Ticks + decimal.ToInt64(decimal.Truncate(number * most));
        if (ticks <= 0) return false;
        time = new(ticks, DateTimeKind.Utc);
        return true;
    }

    public override string ToString() => _path.ToString();
}
