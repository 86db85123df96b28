using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Client;

/// <summary>SCRAM-SHA-256: the exchange of RFC 7677 §3, what a broker may do wrong, and the whole of it over a connection.</summary>
public sealed class ScramTests
{
    const string ServerFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    static ScramSha256 Client() => new("user", "pencil", "rOprNGfwEbeRWgbNEkqO");

    [Fact]
    public void The_example_of_the_specification()
    {
        var client = Client();
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", Encoding.UTF8.GetString(client.First()));
        Assert.Equal("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            Encoding.UTF8.GetString(client.Final(Encoding.UTF8.GetBytes(ServerFirst))));
        client.Verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8);
    }

    [Theory]
    [InlineData("")]
    [InlineData("e=other-error")]
    [InlineData("v=")]
    [InlineData("v=!")]
    [InlineData("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public void A_server_without_proof_is_not_believed(string final)
    {
        var client = Client();
        client.Final(Encoding.UTF8.GetBytes(ServerFirst));
        Assert.Throws<AuthenticationException>(() => client.Verify(Encoding.UTF8.GetBytes(final)));
        Assert.Throws<AuthenticationException>(() => Client().Verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8)); // never challenged
    }

    [Theory]
    [InlineData("")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")] // nothing of the server in the nonce
    [InlineData("r=else,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000")]
    [InlineData("m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    public void A_challenge_that_is_none_is_refused(string first)
        => Assert.Throws<AuthenticationException>(() => Client().Final(Encoding.UTF8.GetBytes(first)));

    [Fact]
    public void Names_are_escaped() => Assert.StartsWith("n,,n=a=2Cb=3Dc,", Encoding.UTF8.GetString(new ScramSha256("a,b=c", "p", "n").First()), StringComparison.Ordinal);

    [Theory]
    [InlineData("pencil", true)]
    [InlineData("else", false)]
    public async Task Over_a_connection_the_password_is_proved_both_ways_and_never_sent(string serversPassword, bool accepted)
    {
        await using var broker = new FakeBroker();
        var options = new MqttClientOptions { ClientId = "c", Username = "user", Password = "pencil", Scram = true };
        var connecting = MqttConnect.ConnectAsync(options, MqttAddress.TryParse(broker.Address, out _)!, TimeProvider.System, TestContext.Current.CancellationToken);
        var connection = await broker.AcceptAsync();
        var connect = await connection.ReadAsync<ConnectPacket>();
        Assert.Equal((null, false, "SCRAM-SHA-256"), (connect.Username, connect.Password.HasValue, connect.Properties.Text(PropertyId.AuthenticationMethod)));
        var proof = await ServeAsync(connection, connect.Properties, serversPassword);
        await connection.SendAsync(new ConnAckPacket(ReasonCode.Success, false) { Properties = Properties(proof) });
        if (accepted) await (await connecting).DisposeAsync();
        else Assert.Contains("prove", (await Assert.ThrowsAsync<IOException>(() => connecting)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_skips_the_proof_is_not_believed()
    {
        await using var broker = new FakeBroker();
        var options = new MqttClientOptions { ClientId = "c", Username = "user", Password = "pencil", Scram = true };
        var connecting = MqttConnect.ConnectAsync(options, MqttAddress.TryParse(broker.Address, out _)!, TimeProvider.System, TestContext.Current.CancellationToken);
        await (await broker.AcceptAsync()).WelcomeAsync();
        await Assert.ThrowsAsync<IOException>(() => connecting);
    }

    /// <summary>The server's side up to its proof, which is returned.</summary>
    static async Task<string> ServeAsync(FakeConnection connection, MqttProperties start, string serversPassword)
    {
        var bare = Text(start)["n,,".Length..];
        var first = $"r={bare[(bare.IndexOf("r=", StringComparison.Ordinal) + 2)..]}server,s={Convert.ToBase64String("salty"u8)},i=4096";
        await connection.SendAsync(new AuthPacket(ReasonCode.ContinueAuthentication) { Properties = Properties(first) });
        var answer = await connection.ReadAsync<AuthPacket>();
        Assert.Equal(ReasonCode.ContinueAuthentication, answer.Reason);
        var final = Text(answer.Properties);
        var message = Encoding.UTF8.GetBytes($"{bare},{first},{final[..final.IndexOf(",p=", StringComparison.Ordinal)]}");
        var salted = Rfc2898DeriveBytes.Pbkdf2(serversPassword, "salty"u8.ToArray(), 4_096, HashAlgorithmName.SHA256, 32);
        var signature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), message);
        return "v=" + Convert.ToBase64String(signature);
    }

    static async Task<(MqttClient Client, FakeConnection Connection)> ConnectAsync(FakeBroker broker)
    {
        var options = new MqttClientOptions { ClientId = "c", Username = "user", Password = "pencil", Scram = true, Reauthenticate = TimeSpan.FromMilliseconds(200), Timeout = TimeSpan.FromSeconds(2) };
        var connecting = MqttConnect.ConnectAsync(options, MqttAddress.TryParse(broker.Address, out _)!, TimeProvider.System, TestContext.Current.CancellationToken);
        var connection = await broker.AcceptAsync();
        var proof = await ServeAsync(connection, (await connection.ReadAsync<ConnectPacket>()).Properties, "pencil");
        await connection.SendAsync(new ConnAckPacket(ReasonCode.Success, false) { Properties = Properties(proof) });
        return (await connecting, connection);
    }

    [Fact]
    public async Task On_a_running_connection_it_is_proved_again_while_messages_go_on()
    {
        await using var broker = new FakeBroker();
        var (client, connection) = await ConnectAsync(broker);
        await using var _ = client;
        var recorder = new Recorder();
        var running = client.RunAsync(recorder, TestContext.Current.CancellationToken);
        for (var i = 0; i < 3; i++)
        {
            var start = await connection.ReadAsync<AuthPacket>();
            Assert.Equal(ReasonCode.ReAuthenticate, start.Reason);
            await connection.PublishAsync(0, $"{i}", qos: 0);
            var proof = await ServeAsync(connection, start.Properties, "pencil");
            await connection.SendAsync(new AuthPacket(ReasonCode.Success) { Properties = Properties(proof) });
            Assert.Equal($"{i}", Encoding.UTF8.GetString((await recorder.NextAsync()).Payload.Span));
        }
        Assert.False(running.IsCompleted);
        await client.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Theory]
    [InlineData("prove", "else")] // another password at the broker
    [InlineData("did not answer the repeated authentication", null)]
    public async Task A_broker_that_fails_the_repeated_proof_is_left(string word, string? serversPassword)
    {
        await using var broker = new FakeBroker();
        var (client, connection) = await ConnectAsync(broker);
        await using var _ = client;
        var running = client.RunAsync(new Recorder(), TestContext.Current.CancellationToken);
        var start = await connection.ReadAsync<AuthPacket>();
        if (serversPassword is not null)
        {
            var proof = await ServeAsync(connection, start.Properties, serversPassword);
            await connection.SendAsync(new AuthPacket(ReasonCode.Success) { Properties = Properties(proof) });
        }
        Assert.Contains(word, (await Assert.ThrowsAsync<IOException>(() => running.WaitAsync(TimeSpan.FromSeconds(20)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_authentication_nobody_asked_for_is_a_protocol_error()
    {
        await using var broker = new FakeBroker();
        var connecting = MqttConnect.ConnectAsync(new() { ClientId = "c" }, MqttAddress.TryParse(broker.Address, out _)!, TimeProvider.System, TestContext.Current.CancellationToken);
        var connection = await broker.AcceptAsync();
        await connection.WelcomeAsync();
        await using var client = await connecting;
        var running = client.RunAsync(new Recorder(), TestContext.Current.CancellationToken);
        await connection.SendAsync(new AuthPacket(ReasonCode.ContinueAuthentication) { Properties = Properties("x") });
        Assert.Equal(ReasonCode.ProtocolError, (await Assert.ThrowsAsync<MqttProtocolException>(() => running)).Reason);
        Assert.Equal(ReasonCode.ProtocolError, (await connection.ReadAsync<DisconnectPacket>()).Reason);
    }

    static string Text(MqttProperties properties) => Encoding.UTF8.GetString(properties.Data(PropertyId.AuthenticationData)!.Value.Span);

    static MqttProperties Properties(string data)
        => new PropertiesBuilder().Text(PropertyId.AuthenticationMethod, "SCRAM-SHA-256").Data(PropertyId.AuthenticationData, Encoding.UTF8.GetBytes(data)).Build();
}
