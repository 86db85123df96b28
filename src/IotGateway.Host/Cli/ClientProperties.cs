namespace IotGateway.Host.Cli;

/// <summary>
/// A file of librdkafka's client properties, <c>name=value</c> a line and # for comments: how the commands log in to a broker that asks for
/// it. Immutable.
/// </summary>
static class ClientProperties
{
    const string Jaas = "sasl.jaas.config";

    /// <exception cref="CliException">It cannot be read as one.</exception>
    public static IReadOnlyDictionary<string, string> Read(FileInfo file)
    {
        if (!file.Exists) throw new CliException($"There is no file {file.FullName}.", ExitCode.Usage);
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in File.ReadLines(file.FullName).Select(l => l.Trim()))
        {
            number++;
            if (line.Length == 0 || line[0] == '#') continue;
            var at = line.IndexOf('=', StringComparison.Ordinal);
            // The line itself is not repeated: it may hold a password.
            if (at <= 0) throw new CliException($"{file.FullName}, line {number}: write name=value.", ExitCode.Usage);
            properties[line[..at].TrimEnd()] = line[(at + 1)..].TrimStart();
        }
        return properties.ContainsKey(Jaas)
            ? throw new CliException($"{file.FullName} is for Java clients ({Jaas}). Here it is sasl.username and sasl.password, ssl.ca.location and so on, as librdkafka has them.", ExitCode.Usage)
            : properties;
    }
}
