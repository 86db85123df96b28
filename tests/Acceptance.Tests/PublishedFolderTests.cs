using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>What the image holds: the published folder, run by an ordinary user who cannot write to it.</summary>
public sealed class PublishedFolderTests
{
    [Fact]
    public async Task Runs_as_an_ordinary_user_from_a_read_only_folder()
    {
        var folder = Directory.CreateTempSubdirectory("iotgateway-published-").FullName;
        try
        {
            var program = Path.Combine(folder, "app");
            await Tool.RunAsync(Path.Combine(Machine.Root, "eng/publish"), [program], 180);
            await Tool.RunAsync("chmod", ["-R", "a-w,a+rX", program]);
            await Tool.RunAsync("chmod", ["755", folder]);
            await using var gateway = new GatewayUnderTest(Path.Combine(folder, "site"));
            var log = Path.Combine(folder, "machine.log");
            await File.WriteAllTextAsync(log, "one line\n");
            gateway.Connector("lines", new JsonObject { ["connector"] = "files", ["path"] = log });
            gateway.Connector("cloud", new JsonObject { ["connector"] = "kafka", ["endpoint"] = "127.0.0.1:1", ["topics"] = new JsonArray("lines") }); // its native library loads
            Directory.CreateDirectory(gateway.Data);
            string[] asUser = [];
            if (Environment.UserName == "root")
            {
                await Tool.RunAsync("chown", ["-R", "nobody:nogroup", Path.Combine(folder, "site")]);
                asUser = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"];
            }
            string[] command = [.. asUser, Path.Combine(program, "iotgateway"), "run", "--config", gateway.Config, "--data", gateway.Data];
            await using var process = Tool.Start(command[0], command[1..]);
            await process.SawAsync(" runs: Kafka on ");
            await Eventually.TrueAsync(() => gateway.CliAsync("topics").GetAwaiter().GetResult().Contains("lines", StringComparison.Ordinal), 15, () => process.Output);
            Assert.Contains("one line", await gateway.CliAsync("consume", "lines", "--exit"), StringComparison.Ordinal);
            Assert.DoesNotContain("denied", process.Output, StringComparison.OrdinalIgnoreCase);
            process.Signal(Signals.Term);
            Assert.Equal(0, await process.WaitAsync(12));
        }
        finally
        {
            await Tool.RunAsync("chmod", ["-R", "u+w", folder]);
            Directory.Delete(folder, recursive: true);
        }
    }
}
