namespace Acceptance.Tests;

/// <summary>Places and programs of the machine the tests run on.</summary>
static class Machine
{
    /// <summary>The repository.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory, "IotGateway.sln") ?? throw new InvalidOperationException("IotGateway.sln is in no folder above the tests.");

    /// <summary>The gateway as built.</summary>
    public static string Gateway => Path.Combine(Root, "artifacts/bin/IotGateway.Host/release/iotgateway");

    /// <summary>A folder with Apache Kafka's launcher scripts; skips the test where there is none.</summary>
    public static string Kafka
    {
        get
        {
            var folder = Environment.GetEnvironmentVariable("KAFKA_DIR") ?? Path.Combine(Root, "../shared/kafka");
            if (!File.Exists(Path.Combine(folder, "kafka"))) Assert.Skip($"There is no Apache Kafka in {folder}; KAFKA_DIR names another place.");
            if (!OnPath("java")) Assert.Skip("Apache Kafka needs Java 17, which is not installed.");
            return Path.GetFullPath(folder);
        }
    }

    /// <summary>Whether a program is installed.</summary>
    public static bool OnPath(string program) => Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/sbin").Any(p => File.Exists(Path.Combine(p, program)));

    /// <summary>A number from the environment, for programmes that are short by default.</summary>
    public static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out var n) ? n : otherwise;

    /// <summary>The seed of this run: <c>SEED</c>, or a new one. Tests print it.</summary>
    public static int Seed { get; } = Setting("SEED", Environment.TickCount & 0xffffff);

    static string? Find(string from, string file)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, file))) return folder.FullName;
        return null;
    }
}
