using System.Security.Cryptography;
using System.Text;

namespace IotGateway.Host.Hosting;

/// <summary>
/// Eight random characters that tell this installation from every other, kept in the data folder beside a fingerprint of the
/// hardware: a disk cloned into another machine gets an id of its own, a container made anew on its volume keeps it.
/// </summary>
static partial class InstallId
{
    static readonly string[] HardwareIds = ["/sys/class/dmi/id/product_uuid", "/proc/device-tree/serial-number"];

    public static string Read(string dataFolder, ILogger logger)
    {
        var path = Path.Combine(dataFolder, "install.id");
        var hardware = Fingerprint();
        if (File.Exists(path) && File.ReadAllText(path).Trim().Split(' ') is [{ Length: 8 } id, var known])
        {
            if (known == hardware || known == "-" || hardware == "-") return id;
            Log.Cloned(logger, dataFolder);
        }
        var made = RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", 8);
        var temporary = path + ".new";
        File.WriteAllText(temporary, $"{made} {hardware}\n");
        File.Move(temporary, path, overwrite: true);
        return made;
    }

    static string Fingerprint()
    {
        foreach (var source in HardwareIds)
        {
            try
            {
                if (File.Exists(source)) return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(File.ReadAllText(source).Trim())))[..16];
            }
            catch (Exception e) when (e is UnauthorizedAccessException or IOException)
            {
                continue; // only root may read it on some machines; the next source, or none, does
            }
        }
        return "-";
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The data folder {Folder} comes from other hardware: this installation gets a new id, and with it new MQTT client ids.")]
        public static partial void Cloned(ILogger logger, string folder);
    }
}
