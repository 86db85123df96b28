using System.Net;
using System.Text;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

/// <summary>What a connection may do before, while and after it authenticates.</summary>
public sealed class SaslTests
{
    static readonly ListenerSasl Plain = new() { Mechanisms = ["PLAIN", "SCRAM-SHA-256"] };

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public async Task Lets_in_who_knows_the_password_by_every_version(short version)
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await client.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new() { ClientSoftwareName = "t", ClientSoftwareVersion = "1" }, 3);
        var shaken = await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1);
        Assert.Equal(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], shaken.Mechanisms);
        var answer = await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = "\0mes\0secret"u8.ToArray() }, version);
        Assert.Equal((0, 0L), (answer.ErrorCode, answer.SessionLifetimeMs));
        Assert.NotEmpty((await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9)).Brokers);
        Assert.Equal(1, broker.Inner.Meters["iotgateway.broker.authentications/plant"]);
    }

    [Fact]
    public async Task Bare_frames_after_a_handshake_of_version_0()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        Assert.Equal(0, (await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 0)).ErrorCode);
        await client.SendAsync(RawClient.Bare("\0mes\0secret"u8));
        Assert.Empty((await client.ReceiveAsync())!);
        Assert.NotEmpty((await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9)).Brokers);
    }

    [Theory, InlineData("\0mes\0wrong"), InlineData(""), InlineData("x")]
    public async Task A_bare_frame_that_is_wrong_is_not_answered(string token)
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 0);
        await client.SendAsync(RawClient.Bare(Encoding.UTF8.GetBytes(token)));
        Assert.Null(await client.ReceiveAsync());
    }

    [Theory]
    [InlineData("\0mes\0wrong")]
    [InlineData("\0mes\0")]
    [InlineData("\0\0secret")]
    [InlineData("\0nobody\0secret")]
    [InlineData("admin\0mes\0secret")]
    [InlineData("mes\0secret")]
    [InlineData("\0mes\0secret\0")]
    [InlineData("")]
    public async Task A_failure_is_answered_with_one_error_for_all_reasons_and_the_connection_closed(string token)
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1);
        var answer = await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = Encoding.UTF8.GetBytes(token) }, 2);
        Assert.Equal((short)KafkaError.SaslAuthenticationFailed, answer.ErrorCode);
        Assert.Equal("Authentication failed: user or password is wrong, or the token is not accepted.", answer.ErrorMessage);
        Assert.Null(await client.ReceiveAsync());
        Assert.Equal(1, broker.Inner.Meters["iotgateway.broker.errors/authentication"]);
        Assert.DoesNotContain(broker.Inner.Logger.Lines, l => l.Text.Contains("secret", StringComparison.Ordinal) || l.Text.Contains("wrong\0", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(3)] // Metadata
    [InlineData(0)] // Produce
    [InlineData(36)] // SaslAuthenticate without a handshake
    [InlineData(50)] // DescribeUserScramCredentials
    [InlineData(51)]
    public async Task Nothing_else_is_answered_before(short key)
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await client.SendAsync(key switch
        {
            0 => client.Frame(Requests.Produce("t", Batches.Of("a")), 9),
            3 => client.Frame(new MetadataRequest { Topics = null }, 9),
            36 => client.Frame(new SaslAuthenticateRequest { AuthBytes = "\0mes\0secret"u8.ToArray() }, 2),
            50 => client.Frame(new DescribeUserScramCredentialsRequest(), 0),
            _ => client.Frame(new AlterUserScramCredentialsRequest(), 0),
        });
        Assert.Null(await client.ReceiveAsync());
        Assert.Contains(broker.Inner.Logger.Lines, l => l.Text.Contains("before it has authenticated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_else_is_answered_between_handshake_and_token_also_when_sent_at_once()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        var frames = new MemoryStream();
        frames.Write(client.Frame(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1));
        frames.Write(client.Frame(new MetadataRequest { Topics = null }, 9));
        frames.Write(client.Frame(new SaslAuthenticateRequest { AuthBytes = "\0mes\0secret"u8.ToArray() }, 2));
        await client.SendAsync(frames.ToArray());
        await client.ReceiveAsync<SaslHandshakeResponse>(1);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task All_of_it_may_be_sent_at_once()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        var frames = new MemoryStream();
        frames.Write(client.Frame(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1));
        frames.Write(client.Frame(new SaslAuthenticateRequest { AuthBytes = "\0mes\0secret"u8.ToArray() }, 2));
        frames.Write(client.Frame(new MetadataRequest { Topics = null }, 9));
        await client.SendAsync(frames.ToArray());
        await client.ReceiveAsync<SaslHandshakeResponse>(1);
        Assert.Equal(0, (await client.ReceiveAsync<SaslAuthenticateResponse>(2)).ErrorCode);
        await client.ReceiveAsync<MetadataResponse>(9);
    }

    [Fact]
    public async Task A_mechanism_that_is_not_offered_is_refused_with_those_that_are()
    {
        await using var broker = await SaslBroker.StartAsync(new ListenerSasl(), new());
        await using var client = await broker.Inner.ConnectAsync();
        var answer = await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1);
        Assert.Equal((short)KafkaError.UnsupportedSaslMechanism, answer.ErrorCode);
        Assert.Equal(["SCRAM-SHA-256", "SCRAM-SHA-512"], answer.Mechanisms);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_frame_over_64_KiB_is_not_read_before_and_is_after()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var stranger = await broker.Inner.ConnectAsync();
        await stranger.SendAsync(new byte[] { 0, 1, 0, 1 });
        Assert.Null(await stranger.ReceiveAsync());
        await using var client = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(client);
        await broker.Inner.CreateAsync("t");
        Assert.Equal(0, (await client.ProduceAsync("t", Batches.Of(new string('x', 100_000)))).ErrorCode);
    }

    [Fact]
    public async Task Where_the_listener_has_no_SASL_it_is_out_of_place()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal((short)KafkaError.IllegalSaslState, (await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1)).ErrorCode);
        Assert.Equal((short)KafkaError.IllegalSaslState, (await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new(), 2)).ErrorCode);
    }

    [Fact]
    public async Task A_session_is_told_its_lifetime_and_ends_with_it_unless_renewed()
    {
        await using var broker = await SaslBroker.StartAsync(Plain with { MaxSession = TimeSpan.FromSeconds(2) }, new());
        await using var lazy = await broker.Inner.ConnectAsync();
        await using var diligent = await broker.Inner.ConnectAsync();
        Assert.Equal(2000, (await SaslBroker.LogInAsync(lazy)).SessionLifetimeMs);
        await SaslBroker.LogInAsync(diligent);
        for (var i = 0; i < 3; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, TestContext.Current.CancellationToken); // the lifetime itself is what is tested
            Assert.Equal(0, (await SaslBroker.LogInAsync(diligent)).ErrorCode);
        }
        await diligent.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        await lazy.SendAsync(new MetadataRequest { Topics = null }, 9);
        Assert.Null(await lazy.ReceiveAsync());
        Assert.Contains(broker.Inner.Logger.Lines, l => l.Text.Contains("session has expired", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_is_not_renewed_more_than_once_a_second()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(client);
        Assert.Equal(0, (await SaslBroker.LogInAsync(client)).ErrorCode);
        Assert.Equal((short)KafkaError.IllegalSaslState, (await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1)).ErrorCode);
        Assert.Equal((short)KafkaError.IllegalSaslState, (await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new(), 2)).ErrorCode);
        await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
    }

    [Fact]
    public async Task A_session_is_not_renewed_as_another_user()
    {
        await using var broker = await SaslBroker.StartAsync(new BrokerUser("other", "secret"));
        await using var client = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(client);
        Assert.Equal((short)KafkaError.SaslAuthenticationFailed, (await SaslBroker.LogInAsync(client, "other")).ErrorCode);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_session_is_not_renewed_by_another_mechanism()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(client);
        await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "SCRAM-SHA-256" }, 1);
        var answer = await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = "n,,n=mes,r=abc"u8.ToArray() }, 2);
        Assert.Equal((short)KafkaError.SaslAuthenticationFailed, answer.ErrorCode);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task While_a_session_is_renewed_nothing_else_is_answered()
    {
        await using var broker = await SaslBroker.StartAsync();
        await using var client = await broker.Inner.ConnectAsync();
        await SaslBroker.LogInAsync(client);
        await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1);
        await client.SendAsync(new MetadataRequest { Topics = null }, 9);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task Who_guesses_is_no_longer_looked_at_and_others_are()
    {
        await using var broker = await SaslBroker.StartAsync(Plain, new() { FailedAuthenticationDelay = TimeSpan.Zero }, new BrokerUser("other", "secret"));
        for (var i = 0; i < FailureLimiter.PerUser; i++)
        {
            await using var guess = await broker.Inner.ConnectAsync();
            await SaslBroker.LogInAsync(guess, password: $"guess{i}");
        }
        await using var client = await broker.Inner.ConnectAsync();
        Assert.Contains("too many", (await SaslBroker.LogInAsync(client)).ErrorMessage, StringComparison.Ordinal);
        await using var other = await broker.Inner.ConnectAsync();
        Assert.Equal(0, (await SaslBroker.LogInAsync(other, "other")).ErrorCode);
        Assert.Single(broker.Inner.Logger.Lines, l => l.Text.Contains("did not get in", StringComparison.Ordinal));
    }

    [Fact]
    public void A_host_that_tries_many_users_is_no_longer_looked_at_for_a_minute()
    {
        var clock = new ManualClock();
        var limiter = new FailureLimiter(clock);
        var (host, neighbour, other) = (IPAddress.Parse("fd00::1"), IPAddress.Parse("fd00::2"), IPAddress.Parse("fd01::1"));
        for (var i = 0; i < FailureLimiter.PerHost; i++)
        {
            Assert.True(limiter.Allows(host, $"u{i}"));
            limiter.Failed(host, $"u{i}");
        }
        Assert.False(limiter.Allows(host, "mes"));
        Assert.False(limiter.Allows(neighbour, "mes")); // the same /64
        Assert.True(limiter.Allows(other, "mes"));
        limiter.Succeeded(host, "u1");
        Assert.False(limiter.Allows(host, null));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(limiter.Allows(host, "mes"));
    }
}
