using System.Net;
using System.Text;
using Confluent.Kafka;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

/// <summary>A broker with one SASL listener and the user mes with password secret.</summary>
sealed class SaslBroker : IAsyncDisposable
{
    readonly UserStore _users;

    SaslBroker(TestBroker inner, UserStore users) => (Inner, _users) = (inner, users);

    public TestBroker Inner { get; }

    public static Task<SaslBroker> StartAsync(params BrokerUser[] more) => StartAsync(new ListenerSasl { Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] }, new(), more);

    public static async Task<SaslBroker> StartAsync(ListenerSasl sasl, BrokerOptions options, params BrokerUser[] more)
    {
        var listener = new BrokerListener { Name = "plant", Endpoint = new(IPAddress.Loopback, 0), Sasl = sasl };
        var broker = await TestBroker.StartAsync(options with { Users = [new("mes", "secret"), .. more] }, listeners: listener);
        return new(broker, await UserStore.OpenAsync(broker.Store, TestContext.Current.CancellationToken));
    }

    public ScramExchange Exchange(ScramMechanism mechanism) => new(mechanism, _users, new(new(TimeProvider.System), IPAddress.Loopback));

    public ClientConfig Client(SaslMechanism mechanism, string user = "mes", string password = "secret") => new()
    {
        BootstrapServers = Inner.Bootstrap, SecurityProtocol = SecurityProtocol.SaslPlaintext, SaslMechanism = mechanism, SaslUsername = user, SaslPassword = password,
    };

    /// <summary>Handshake of version 1 and PLAIN.</summary>
    public static async Task<SaslAuthenticateResponse> LogInAsync(RawClient client, string user = "mes", string password = "secret")
    {
        Assert.Equal(0, (await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1)).ErrorCode);
        return await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = Encoding.UTF8.GetBytes($"\0{user}\0{password}") }, 2);
    }

    public async ValueTask DisposeAsync()
    {
        _users.Dispose();
        await Inner.DisposeAsync();
    }
}
