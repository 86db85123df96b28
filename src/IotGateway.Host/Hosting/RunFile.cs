using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace IotGateway.Host.Hosting;

/// <summary>
/// Where the gateway that runs on a configuration folder listens: written once everything does, removed at a clean stop, so that
/// the commands find it also when ports were chosen freely. Lives in the user's temporary folder, not in the (read-only) configuration.
/// </summary>
/// <param name="Pid">Its process.</param>
/// <param name="Broker">Kafka bootstrap address.</param>
/// <param name="Rest">REST address, or null.</param>
sealed record RunFile(int Pid, string Broker, string? Rest)
{
    static string PathOf(string configFolder)
    {
        var folder = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(configFolder).TrimEnd('/'))))[..16];
        return Path.Combine(Path.GetTempPath(), $"iotgateway-{Environment.UserName}-{folder}.json");
    }

    /// <summary>The file of the gateway running on the folder; null when none runs (a file left by a killed one does not count).</summary>
    public static RunFile? Read(string configFolder)
    {
        try
        {
            var file = JsonSerializer.Deserialize<RunFile>(File.ReadAllText(PathOf(configFolder)));
            return file is not null && Directory.Exists($"/proc/{file.Pid}") ? file : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes it, replacing an older one in one step.</summary>
    public void Write(string configFolder)
    {
        var path = PathOf(configFolder);
        var temporary = $"{path}.{Pid}";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Removes it, if it is ours.</summary>
    public void Remove(string configFolder)
    {
        if (Read(configFolder)?.Pid == Pid) File.Delete(PathOf(configFolder));
    }
}
