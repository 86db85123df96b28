using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Confluent.Kafka;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Tests.Security;

public sealed class TlsTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly TestCa _ca = new();
    readonly TestCa _stranger = new();

    public void Dispose()
    {
        _ca.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task Librdkafka_writes_and_reads_over_TLS_large_records_too()
    {
        await using var broker = await StartAsync(_ca.Listener());
        var value = new string('x', 900_000);
        using (var producer = new ProducerBuilder<Null, string>(Client(broker, _ca)).Build())
            for (var i = 0; i < 20; i++) await producer.ProduceAsync("t", new() { Value = value }, TestContext.Current.CancellationToken);
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig(Client(broker, _ca)) { GroupId = "g", AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Subscribe("t");
        for (var i = 0; i < 20; i++) Assert.Equal(value.Length, (consumer.Consume(Patience) ?? throw new TimeoutException($"Record {i} did not come.")).Message.Value.Length);
    }

    [Theory, InlineData(SaslMechanism.ScramSha256), InlineData(SaslMechanism.ScramSha512), InlineData(SaslMechanism.Plain)]
    public async Task Librdkafka_logs_in_over_TLS(SaslMechanism mechanism)
    {
        await using var broker = await StartAsync(_ca.Listener(), new() { Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] });
        var config = Client(broker, _ca);
        (config.SecurityProtocol, config.SaslMechanism, config.SaslUsername, config.SaslPassword) = (SecurityProtocol.SaslSsl, mechanism, "mes", "secret");
        using var producer = new ProducerBuilder<Null, string>(config).Build();
        Assert.Equal(0, (await producer.ProduceAsync("t", new() { Value = "v" }, TestContext.Current.CancellationToken)).Offset.Value);
    }

    [Theory]
    [InlineData("User:CN=press 1,OU=line,O=Plant")]
    [InlineData("User:press 1", "RULE:^CN=([^,]+),OU=line,.*$/$1/")]
    [InlineData("User:PRESS 1@PLANT", "RULE:^CN=nobody$/x/", "RULE:^CN=([^,]+),.*O=([^,]+)$/$1@$2/U")]
    public async Task A_client_is_who_its_certificate_says(string principal, params string[] rules)
    {
        await using var broker = await StartAsync(_ca.Listener(ClientCertificates.Need, rules: rules), null, principal);
        Assert.Equal(KafkaError.None, await AskAsync(broker, _ca.Client()));
        Assert.Equal(KafkaError.ClusterAuthorizationFailed, await AskAsync(broker, _ca.Client("CN=press 2,OU=line,O=Plant")));
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_anonymous_where_it_may()
    {
        await using var broker = await StartAsync(_ca.Listener(ClientCertificates.Want), null, "User:ANONYMOUS");
        Assert.Equal(KafkaError.None, await AskAsync(broker, null));
        Assert.Equal(KafkaError.ClusterAuthorizationFailed, await AskAsync(broker, _ca.Client()));
        Assert.Null(await AskAsync(broker, _stranger.Client()));
    }

    [Fact]
    public async Task Who_has_a_certificate_and_logs_in_is_who_he_logs_in_as()
    {
        await using var broker = await StartAsync(_ca.Listener(ClientCertificates.Need), new() { Mechanisms = ["PLAIN"] }, "User:mes");
        await using var client = await ConnectAsync(broker, _ca.Client());
        Assert.Equal(0, (await SaslBroker.LogInAsync(client)).ErrorCode);
        Assert.Equal(0, (await client.CallAsync<DescribeAclsRequest, DescribeAclsResponse>(new() { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 }, 3)).ErrorCode);
    }

    [Fact]
    public async Task Librdkafka_brings_its_certificate()
    {
        await using var broker = await StartAsync(_ca.Listener(ClientCertificates.Need));
        var config = Client(broker, _ca);
        (config.SslCertificateLocation, config.SslKeyLocation) = _ca.Client();
        using var producer = new ProducerBuilder<Null, string>(config).Build();
        Assert.Equal(0, (await producer.ProduceAsync("t", new() { Value = "v" }, TestContext.Current.CancellationToken)).Offset.Value);
    }

    [Theory]
    [InlineData("none", "brought no certificate")]
    [InlineData("stranger", "CN=press 1,OU=line,O=Plant is not accepted")]
    [InlineData("self-signed", "CN=press 1 is not accepted")]
    [InlineData("expired", "is not accepted: NotTimeValid")]
    [InlineData("misused", "is not accepted: NotValidForUsage")]
    [InlineData("no rule", "No rule for principals fits")]
    public async Task A_client_without_a_good_certificate_does_not_get_in(string which, string problem)
    {
        await using var broker = await StartAsync(_ca.Listener(ClientCertificates.Need, rules: "RULE:^CN=press 1.*$/p/"));
        Assert.Null(await AskAsync(broker, which switch
        {
            "none" => null,
            "stranger" => _stranger.Client(),
            "self-signed" => _ca.SelfSigned(),
            "expired" => _ca.Client(goodFor: TimeSpan.FromDays(-1)),
            "misused" => _ca.Misused(),
            _ => _ca.Client("CN=press 2"),
        }));
        Assert.Contains(problem, await broker.Logger.WaitForAsync("was disconnected"), StringComparison.Ordinal);
        Assert.Equal(KafkaError.SecurityDisabled, await AskAsync(broker, _ca.Client("CN=press 1")));
    }

    [Fact]
    public async Task A_client_that_trusts_another_authority_goes_away()
    {
        await using var broker = await StartAsync(_ca.Listener());
        var failed = new TaskCompletionSource<Error>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var producer = new ProducerBuilder<Null, string>(Client(broker, _stranger)).SetLogHandler((_, _) => { })
            .SetErrorHandler((_, e) => { if (e.Code == ErrorCode.Local_Ssl) failed.TrySetResult(e); }).Build();
        Assert.Contains("certificate verify failed", (await failed.Task.WaitAsync(Patience, TestContext.Current.CancellationToken)).Reason, StringComparison.Ordinal);
        Assert.Contains("The TLS handshake failed", await broker.Logger.WaitForAsync("was disconnected"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_text_on_a_TLS_port_is_cut_off_and_told_in_the_log()
    {
        await using var broker = await StartAsync(_ca.Listener());
        await using var client = await broker.ConnectAsync();
        await client.SendAsync(new MetadataRequest { Topics = null }, 9);
        Assert.Null(await client.ReceiveAsync());
        Assert.Contains(broker.Logger.Lines, l => l.Text.Contains("does not speak TLS", StringComparison.Ordinal));
    }

    [Theory, InlineData(0x00), InlineData(0x01), InlineData(0x02)] // SSL 3, TLS 1.0, TLS 1.1
    public async Task An_older_TLS_is_refused(byte minor)
    {
        await using var broker = await StartAsync(_ca.Listener());
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(broker.Server.Endpoints[0], TestContext.Current.CancellationToken);
        byte[] hello = [3, minor, .. new byte[32], 0, 0, 4, 0xC0, 0x13, 0, 0x2F, 1, 0]; // RFC 4346 §7.4.1.2, two ciphers of that time
        byte[] handshake = [1, 0, 0, (byte)hello.Length, .. hello];
        await tcp.GetStream().WriteAsync(new byte[] { 0x16, 3, minor, 0, (byte)handshake.Length }.Concat(handshake).ToArray(), TestContext.Current.CancellationToken);
        var answer = new byte[1];
        var read = await tcp.GetStream().ReadAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.True(read == 0 || answer[0] == 0x15, $"It answered with a record of type {answer[0]}."); // closed, or an alert
        Assert.Contains("The TLS handshake failed", await broker.Logger.WaitForAsync("was disconnected"), StringComparison.Ordinal);
    }

    [Theory, InlineData(SslProtocols.Tls12), InlineData(SslProtocols.Tls13)]
    public async Task Speaks_the_newer_ones(SslProtocols version)
    {
        await using var broker = await StartAsync(_ca.Listener());
        Assert.Equal(KafkaError.SecurityDisabled, await AskAsync(broker, null, version));
    }

    [Fact]
    public async Task A_handshake_that_stops_does_not_hold_up_the_others()
    {
        await using var broker = await StartAsync(_ca.Listener());
        await using var stuck = await broker.ConnectAsync();
        await stuck.SendAsync(new byte[] { 0x16, 3, 1 });
        Assert.Equal(KafkaError.SecurityDisabled, await AskAsync(broker, null));
    }

    [Fact]
    public async Task A_renewed_certificate_is_in_use_without_a_restart()
    {
        await using var broker = await StartAsync(_ca.Listener());
        var before = await ThumbprintAsync(broker);
        _ca.RenewServer();
        await broker.Logger.WaitForAsync("has a new certificate");
        Assert.NotEqual(before, await ThumbprintAsync(broker));
    }

    [Fact]
    public async Task Broken_files_leave_the_certificate_in_use_and_are_told_once()
    {
        var tls = _ca.Listener();
        await using var broker = await StartAsync(tls);
        var before = await ThumbprintAsync(broker);
        await File.WriteAllTextAsync(tls.Key, "no key", TestContext.Current.CancellationToken);
        Assert.Contains(tls.Key, await broker.Logger.WaitForAsync("stays in use"), StringComparison.Ordinal);
        Assert.Equal(before, await ThumbprintAsync(broker));
        _ca.RenewServer();
        await broker.Logger.WaitForAsync("has a new certificate");
        Assert.Single(broker.Logger.Lines, l => l.Text.Contains("stays in use", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_near_its_end_is_logged_and_measured()
    {
        await using var broker = await StartAsync(_ca.Listener(goodFor: TimeSpan.FromDays(3)));
        Assert.Single(broker.Logger.Lines, l => l.Level == LogLevel.Warning && l.Text.Contains("The certificate of listener plant ends", StringComparison.Ordinal));
        Assert.InRange(broker.Meters.Observe("iotgateway.broker.certificate.remaining/plant"), 2 * 86400, 3 * 86400);
    }

    [Fact]
    public async Task An_expired_certificate_is_an_error_in_the_log_and_clients_go_away()
    {
        await using var broker = await StartAsync(_ca.Listener(goodFor: TimeSpan.FromDays(-3)));
        await Assert.ThrowsAsync<AuthenticationException>(() => ThumbprintAsync(broker));
        Assert.Contains("has ended", broker.Logger.Take(LogLevel.Error), StringComparison.Ordinal);
    }

    [Theory, InlineData("missing.pem"), InlineData("other.key")]
    public async Task Files_that_are_wrong_at_the_start_are_named(string file)
    {
        var tls = _ca.Listener();
        var wrong = file == "missing.pem" ? new ListenerTls { Certificate = Path.Combine(_ca.Folder, file), Key = tls.Key }
            : new ListenerTls { Certificate = tls.Certificate, Key = _stranger.Client().Key };
        await using var broker = await TestBroker.StartAsync();
        var options = new BrokerOptions { Listeners = [new() { Name = "plant", Endpoint = new(IPAddress.Loopback, 0), Tls = wrong }] };
        var problem = await Assert.ThrowsAsync<TlsFilesException>(() => BrokerServer.StartAsync(options, broker.Store, broker.Logger, TimeProvider.System, null, TestContext.Current.CancellationToken));
        Assert.StartsWith("Listener 'plant': ", problem.Message, StringComparison.Ordinal);
        Assert.Contains(file == "missing.pem" ? wrong.Certificate : wrong.Key, problem.Message, StringComparison.Ordinal);
    }

    static Task<TestBroker> StartAsync(ListenerTls tls, ListenerSasl? sasl = null, string? superUser = null) => TestBroker.StartAsync(
        new() { Users = [new("mes", "secret")], Acls = superUser is null ? null : new() { SuperUsers = [superUser] } },
        listeners: new BrokerListener { Name = "plant", Endpoint = new(IPAddress.Loopback, 0), AdvertisedHost = "localhost", Tls = tls, Sasl = sasl });

    static ClientConfig Client(TestBroker broker, TestCa trusted) => new() { BootstrapServers = broker.Bootstrap, SecurityProtocol = SecurityProtocol.Ssl, SslCaLocation = trusted.Authority };

    /// <summary>What DescribeAcls says; null when the broker closes the connection.</summary>
    async Task<KafkaError?> AskAsync(TestBroker broker, (string Certificate, string Key)? own, SslProtocols version = SslProtocols.None)
    {
        try
        {
            await using var client = await ConnectAsync(broker, own, version);
            await client.SendAsync(new DescribeAclsRequest { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 }, 3);
            return await client.ReceiveAsync() is { } frame ? (KafkaError)RawClient.Parse<DescribeAclsResponse>(frame, 3).ErrorCode : null;
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException)
        {
            return null;
        }
    }

    Task<RawClient> ConnectAsync(TestBroker broker, (string Certificate, string Key)? own, SslProtocols version = SslProtocols.None)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(_ca.Authority);
        return RawClient.ConnectAsync(broker.Server.Endpoints[0], new()
        {
            TargetHost = "localhost", CertificateChainPolicy = policy, EnabledSslProtocols = version,
            ClientCertificateContext = own is { } files ? SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(files.Certificate, files.Key), null, offline: true) : null,
        });
    }

    async Task<string> ThumbprintAsync(TestBroker broker)
    {
        await using var client = await ConnectAsync(broker, null);
        return client.ServerCertificate!.GetCertHashString();
    }
}
