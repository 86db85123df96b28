using System.Text;
using IotGateway.Connect.Configs.Binding;

namespace IotGateway.Connect.Configs;

/// <summary>Reads a configuration file as text; trouble is a problem, not an exception.</summary>
internal static class FileText
{
    /// <summary>More than a million tags; what is larger is no configuration.</summary>
    const long MaxBytes = 256L << 20;

    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string? Read(string file, Report report)
    {
        try
        {
            if (new FileInfo(file) is { Length: > MaxBytes })
            {
                report.Problems.Add(new(file, 0, 0, "", "The file is larger than 256 MiB.", "Split it into several connectors."));
                return null;
            }
            var bytes = File.ReadAllBytes(file).AsSpan();
            return Strict.GetString(bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);
        }
        catch (DecoderFallbackException)
        {
            report.Problems.Add(new(file, 0, 0, "", "The file is not UTF-8.", "Save it as UTF-8."));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            report.Problems.Add(new(file, 0, 0, "", "The file does not exist.", "Create it, or correct the name."));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Problems.Add(new(file, 0, 0, "", $"The file cannot be read: {e.Message}", "Let the gateway's user read it."));
        }
        return null;
    }
}
