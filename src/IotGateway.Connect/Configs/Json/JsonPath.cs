using System.Globalization;

namespace IotGateway.Connect.Configs.Json;

/// <summary>Builds paths such as <c>devices[2].tags[0].type</c> for messages.</summary>
internal static class JsonPath
{
    public static string Member(string path, string name)
    {
        var plain = name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '$');
        var step = plain ? name : "['" + name + "']";
        return path.Length == 0 ? step : plain ? path + "." + step : path + step;
    }

    public static string Item(string path, int index) => path + "[" + index.ToString(CultureInfo.InvariantCulture) + "]";
}
