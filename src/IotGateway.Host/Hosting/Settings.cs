using System.Globalization;
using System.Net;
using IotGateway.Broker;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Host.Cli;
using IotGateway.Log;
using IotGateway.Sdk.Data;

namespace IotGateway.Host.Hosting;

/// <summary>gateway.json in the words of the log and the broker.</summary>
static class Settings
{
    public static LogOptions Log(GatewayConfig config, string dataFolder)
    {
        var settings = new Dictionary<string, string> { ["iotgateway.durability"] = TopicSettings.Durability(config.Log.Durability) };
        if (config.Log.Retention.Time is { } time) settings["retention.ms"] = ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        return new LogOptions
        {
            Directory = dataFolder,
            WalBytes = config.Log.WalSize.Bytes,
            ReserveBytes = config.Log.Reserve.Bytes,
            ScrubEvery = config.Log.Scrub > TimeSpan.Zero ? config.Log.Scrub : null,
            BudgetBytes = config.Log.Retention.Size?.Bytes,
            AwaitsPins = true,
            CompactEvery = config.Log.CompactEvery,
            RetainEvery = config.Log.RetainEvery,
            TopicDefaults = new TopicConfig { Settings = settings },
        };
    }

    public static BrokerOptions Broker(GatewayConfig config, string configFolder, string dataFolder) => new()
    {
        Listeners =
        [
            Listener(new() { Name = Protocol(config.Broker), Listen = config.Broker.Listen, Advertised = config.Broker.Advertised, Tls = config.Broker.Tls, Sasl = config.Broker.Sasl }, configFolder),
            .. config.Broker.Listeners.Select(l => Listener(l, configFolder)),
        ],
        Users = [.. config.Broker.Users.Select(u => new BrokerUser(u.Name, u.Password))],
        AutoCreateTopics = config.Broker.AutoCreateTopics,
        DefaultPartitions = config.Broker.DefaultPartitions,
        NewTopics = name => TopicSettings.For(config, name, Lane.Normal),
        MaxConnections = config.Broker.MaxConnections,
        Acls = !config.Broker.Acls.Enabled ? null : new()
        {
            SuperUsers = config.Broker.Acls.SuperUsers,
            AllowEveryoneIfNoAclFound = config.Broker.Acls.AllowEveryoneIfNoAclFound,
        },
        DataDirectory = dataFolder,
    };

    static BrokerListener Listener(ListenerConfig listener, string configFolder)
    {
        (string Host, int Port)? told = listener.Advertised is null ? null : Split(listener.Advertised);
        return new()
        {
            Name = listener.Name,
            Endpoint = Endpoint(listener.Listen),
            AdvertisedHost = told?.Host,
            AdvertisedPort = told?.Port,
            Tls = listener.Tls is { } tls ? Tls(tls, configFolder) : null,
            Sasl = listener.Sasl is { } sasl ? new() { Mechanisms = sasl.Mechanisms, MaxSession = sasl.MaxSession, OAuth = sasl.Tokens is { } oauth ? OAuth(oauth, configFolder) : null } : null,
        };
    }

    static ListenerTls Tls(ListenerTlsConfig tls, string configFolder)
    {
        var home = Path.GetFullPath(configFolder);
        return new()
        {
            Certificate = Path.GetFullPath(tls.Certificate, home),
            Key = Path.GetFullPath(tls.Key, home),
            KeyPassword = tls.KeyPassword,
            ClientCertificates = (ClientCertificates)tls.ClientCertificates,
            ClientAuthorities = tls.ClientAuthorities is { } file ? Path.GetFullPath(file, home) : null,
            PrincipalRules = tls.PrincipalRules,
        };
    }

    static OAuthOptions OAuth(OAuthConfig oauth, string configFolder)
    {
        var home = Path.GetFullPath(configFolder);
        return new()
        {
            Jwks = oauth.Jwks.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? oauth.Jwks : Path.GetFullPath(oauth.Jwks, home),
            Authorities = oauth.Ca is { } file ? Path.GetFullPath(file, home) : null,
            Issuer = oauth.Issuer,
            Audiences = oauth.Audience,
            UserClaim = oauth.UserClaim,
            ClockSkew = oauth.ClockSkew,
        };
    }

    /// <summary>The first listener is named as Kafka names its security protocols.</summary>
    static string Protocol(BrokerConfig broker) => (broker.Sasl is null ? "" : "SASL_") + (broker.Tls is null ? "PLAINTEXT" : "SSL");

    /// <summary>An address to bind; names are resolved.</summary>
    public static IPEndPoint Endpoint(string listen)
    {
        var (host, port) = Split(listen);
        if (host == "*") return new(IPAddress.Any, port);
        if (!IPAddress.TryParse(host, out var address))
        {
            address = host == "localhost" ? IPAddress.Loopback : Dns.GetHostAddresses(host).FirstOrDefault()
                ?? throw new CliException($"The host name in '{listen}' has no address.", ExitCode.Usage);
        }
        return new(address, port);
    }

    static (string Host, int Port) Split(string address)
    {
        var colon = address.LastIndexOf(':');
        return (address[..colon].Trim('[', ']'), int.Parse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }
}
