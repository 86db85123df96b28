using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Acceptance.Tests;

/// <summary>The whole gateway with TLS and logins, from its configuration file to Apache Kafka's own programs.</summary>
public sealed class SecurityTests
{
    const string Admin = "canary-admin-3f9", Mes = "canary-mes-77a";

    [Fact]
    public async Task Java_clients_log_in_by_SCRAM_over_TLS_and_users_are_managed_by_our_commands_and_by_Kafkas()
    {
        var kafka = Path.Combine(Machine.Kafka, "kafka");
        await using var gateway = new GatewayUnderTest(gatewayOptions: o =>
        {
            o["broker"]!["tls"] = new JsonObject { ["certificate"] = "tls/server.pem", ["key"] = "tls/server.key" };
            o["broker"]!["sasl"] = new JsonObject();
            o["broker"]!["users"] = new JsonArray(new JsonObject { ["name"] = "admin", ["password"] = "${file:admin.secret}" });
        });
        var authority = WriteCertificates(Path.Combine(gateway.Config, "tls"));
        await File.WriteAllTextAsync(Path.Combine(gateway.Config, "admin.secret"), Admin + "\n");
        await gateway.StartAsync();

        // Ours: told what is missing, then let in.
        Assert.Contains("--client-config", await Tool.RunAsync(Machine.Gateway, ["topics", "--config", gateway.Config], anyExit: true), StringComparison.Ordinal);
        var own = Write(gateway, "admin.properties", $"security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=admin\nsasl.password={Admin}\nssl.ca.location={authority}\n");
        await gateway.CliAsync("topics", "create", "t", "--client-config", own);
        await Tool.RunAsync(Machine.Gateway, ["users", "add", "mes", "--client-config", own, "--config", gateway.Config], input: Mes + "\n");
        Assert.Matches(@"admin\s+SCRAM-SHA-256 \(16384\), SCRAM-SHA-512 \(16384\)\s+mes\s", await gateway.CliAsync("users", "--client-config", own));
        var wrong = Write(gateway, "wrong.properties", $"security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.username=mes\nsasl.password=x{Mes}\nssl.ca.location={authority}\n");
        var refused = await Tool.RunAsync(Machine.Gateway, ["topics", "--client-config", wrong, "--config", gateway.Config], anyExit: true);
        Assert.Contains("does not let this command in", refused, StringComparison.Ordinal);

        // Apache Kafka's: the user made by ours writes and reads, and makes another.
        var java = Write(gateway, "java.properties", Java("mes", Mes, authority));
        await Tool.RunAsync(kafka, ["console-producer", "--bootstrap-server", gateway.Broker, "--topic", "t", "--command-config", java], 90, "one\ntwo\n");
        Assert.Contains("one\ntwo\n", await Tool.RunAsync(kafka, ["console-consumer", "--bootstrap-server", gateway.Broker, "--topic", "t", "--from-beginning", "--max-messages", "2", "--command-config", java], 90), StringComparison.Ordinal);
        await Tool.RunAsync(kafka, ["configs", "--bootstrap-server", gateway.Broker, "--command-config", java, "--alter", "--entity-type", "users", "--entity-name", "line1", "--add-config", "SCRAM-SHA-256=[iterations=5000,password=canary-line1]"], 90);
        var described = await Tool.RunAsync(kafka, ["configs", "--bootstrap-server", gateway.Broker, "--command-config", java, "--describe", "--entity-type", "users", "--entity-name", "line1"], 90);
        Assert.Contains("SCRAM credential configs for user-principal 'line1' are SCRAM-SHA-256=iterations=5000", described, StringComparison.Ordinal);

        // kill -9, and without the file's user: who was made over the protocol is still there, a removed one is not.
        await gateway.CliAsync("users", "remove", "mes", "--client-config", own);
        await gateway.KillAsync();
        await gateway.StartAsync();
        var line1 = Write(gateway, "line1.properties", $"security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.username=line1\nsasl.password=canary-line1\nssl.ca.location={authority}\n");
        Assert.Contains("one", await gateway.CliAsync("consume", "t", "--exit", "--client-config", line1), StringComparison.Ordinal);
        Assert.DoesNotContain("mes", await gateway.CliAsync("users", "--client-config", own), StringComparison.Ordinal);
        await gateway.StopAsync();
        Assert.DoesNotContain("canary", gateway.Log, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(gateway.Data, "*", SearchOption.AllDirectories))
            Assert.True((await File.ReadAllBytesAsync(file)).AsSpan().IndexOf("canary"u8) < 0, $"{file} holds a password.");
    }

    [Fact]
    public async Task A_certificate_that_is_not_there_is_named_at_the_start()
    {
        await using var gateway = new GatewayUnderTest(gatewayOptions: o => o["broker"]!["tls"] = new JsonObject { ["certificate"] = "tls/none.pem", ["key"] = "tls/none.key" });
        await using var tool = Tool.Start(Machine.Gateway, ["run", "--config", gateway.Config, "--data", gateway.Data], gateway.Environment);
        Assert.Equal(1, await tool.WaitAsync(20));
        Assert.Contains(Path.Combine(gateway.Config, "tls", "none.pem"), tool.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", tool.Output, StringComparison.Ordinal);
    }

    static string Java(string user, string password, string authority) => $"""
        security.protocol=SASL_SSL
        sasl.mechanism=SCRAM-SHA-256
        sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="{user}" password="{password}";
        ssl.truststore.type=PEM
        ssl.truststore.location={authority}

        """;

    static string Write(GatewayUnderTest gateway, string name, string text)
    {
        var file = Path.Combine(gateway.Root, name);
        File.WriteAllText(file, text);
        return file;
    }

    /// <summary>An authority, and a certificate of it for this machine; returns the authority's file.</summary>
    static string WriteCertificates(string folder)
    {
        Directory.CreateDirectory(folder);
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Plant CA", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(100));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var own = new CertificateRequest("CN=gateway", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        own.CertificateExtensions.Add(names.Build());
        using var certificate = own.Create(authority, now.AddDays(-1), now.AddDays(90), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(folder, "server.pem"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(Path.Combine(folder, "server.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
        var file = Path.Combine(folder, "ca.pem");
        File.WriteAllText(file, authority.ExportCertificatePem() + "\n");
        return file;
    }
}
