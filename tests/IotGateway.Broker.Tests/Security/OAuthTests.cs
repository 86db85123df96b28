using System.Net;
using System.Text;
using Confluent.Kafka;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

public sealed class OAuthTests : IDisposable
{
    readonly TestIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Theory, InlineData("RS256", "rsa"), InlineData("RS512", "rsa"), InlineData("PS384", "rsa"), InlineData("ES256", "ec"), InlineData("RS256", null), InlineData("ES256", null)]
    public async Task A_good_token_is_its_users(string algorithm, string? kid)
        => Assert.Equal("mes", (await VerifyAsync(_issuer.Token(_issuer.Claims(), algorithm, kid))).User);

    [Theory]
    [InlineData("alg none", "signed JSON Web Token")]
    [InlineData("alg none with a signature", "signature is wrong")]
    [InlineData("alg NONE", "signature is wrong")]
    [InlineData("public key as shared secret", "signature is wrong")]
    [InlineData("shared key of the set", "not in the key set")]
    [InlineData("other issuer's key", "signature is wrong")]
    [InlineData("RSA algorithm with the EC key", "signature is wrong")]
    [InlineData("EC algorithm with the RSA key", "signature is wrong")]
    [InlineData("unknown kid", "not in the key set")]
    [InlineData("changed claims", "signature is wrong")]
    [InlineData("critical extension", "critical extensions")]
    [InlineData("expired", "has expired")]
    [InlineData("no expiry", "until when")]
    [InlineData("expiry is text", "no JSON Web Token")]
    [InlineData("not yet", "not good yet")]
    [InlineData("from the future", "issued in the future")]
    [InlineData("wrong issuer", "another issuer")]
    [InlineData("no issuer", "another issuer")]
    [InlineData("wrong audience", "another audience")]
    [InlineData("no audience", "another audience")]
    [InlineData("no user", "no claim 'sub'")]
    [InlineData("user is a number", "no claim 'sub'")]
    [InlineData("claims twice", "no JSON Web Token")]
    [InlineData("two parts", "signed JSON Web Token")]
    [InlineData("four parts", "signed JSON Web Token")]
    [InlineData("no base64", "no JSON Web Token")]
    [InlineData("no JSON", "no JSON Web Token")]
    [InlineData("empty", "signed JSON Web Token")]
    public async Task A_bad_token_is_nobodys(string which, string problem)
    {
        using var other = new TestIssuer(other: true);
        var token = which switch
        {
            "alg none" => _issuer.Token(_issuer.Claims(), "none"),
            "alg none with a signature" => _issuer.Token(_issuer.Claims(), "none") + "AAAA",
            "alg NONE" => _issuer.Token(_issuer.Claims(), "NONE") + "AAAA",
            "public key as shared secret" => _issuer.Token(_issuer.Claims(), "HS256"),
            "shared key of the set" => _issuer.Token(_issuer.Claims(), "HS256", "shared"),
            "other issuer's key" => other.Token(_issuer.Claims()),
            "RSA algorithm with the EC key" => _issuer.Token(_issuer.Claims(), "RS256", "ec"),
            "EC algorithm with the RSA key" => _issuer.Token(_issuer.Claims(), "ES256"),
            "unknown kid" => _issuer.Token(_issuer.Claims(), kid: "new"),
            "changed claims" => Change(_issuer.Token(_issuer.Claims()), _issuer.Token(_issuer.Claims("admin"))),
            "critical extension" => _issuer.Token(_issuer.Claims(), header: h => h["crit"] = new[] { "b64" }),
            "expired" => With("exp", TestIssuer.Now - 31),
            "no expiry" => Without("exp"),
            "expiry is text" => With("exp", "2099"),
            "not yet" => With("nbf", TestIssuer.Now + 60),
            "from the future" => With("iat", TestIssuer.Now + 60),
            "wrong issuer" => With("iss", "https://id.plant.local/"),
            "no issuer" => Without("iss"),
            "wrong audience" => With("aud", new[] { "web", "kafka2" }),
            "no audience" => Without("aud"),
            "no user" => Without("sub"),
            "user is a number" => With("sub", 7),
            "claims twice" => Twice(),
            "two parts" => string.Join('.', _issuer.Token(_issuer.Claims()).Split('.')[..2]),
            "four parts" => _issuer.Token(_issuer.Claims()) + ".AAAA",
            "no base64" => "a?.b.c",
            "no JSON" => "AAAA.AAAA.AAAA",
            _ => "",
        };
        var (user, _, why) = await VerifyAsync(token);
        Assert.Null(user);
        Assert.Contains(problem, why, StringComparison.Ordinal);
        Assert.True(token.Length == 0 || !why.Contains(token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_for_thousands_of_years_is_good_and_one_beyond_the_calendar_is_none()
    {
        Assert.Equal("mes", (await VerifyAsync(With("exp", 249_999_999_999))).User);
        Assert.Null((await VerifyAsync(With("exp", 1e300))).User);
    }

    [Theory, InlineData("exp", -29), InlineData("nbf", 29), InlineData("iat", 29)]
    public async Task Clocks_may_be_half_a_minute_apart(string claim, int seconds)
    {
        var clock = new ManualClock(); // before the token: signing may take long
        Assert.Equal("mes", (await VerifyAsync(With(claim, clock.GetUtcNow().ToUnixTimeSeconds() + seconds), clock: clock)).User);
    }

    [Fact]
    public async Task One_of_several_audiences_and_another_claim_for_the_user_will_do()
    {
        var claims = _issuer.Claims();
        (claims["aud"], claims["client"]) = (new[] { "web", "gateway" }, "line1");
        Assert.Equal("line1", (await VerifyAsync(_issuer.Token(claims), _issuer.Options with { UserClaim = "client" })).User);
    }

    [Fact]
    public async Task New_keys_in_the_file_count_without_a_restart()
    {
        var clock = new ManualClock();
        using var keys = new FileKeys(_issuer.Jwks, new ListLogger(), clock);
        Assert.Empty((await keys.GetAsync("new-rsa", default)).Find("new-rsa"));
        await File.WriteAllTextAsync(_issuer.Jwks, "{", TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Single((await keys.GetAsync("rsa", default)).Find("rsa"));
        await File.WriteAllTextAsync(_issuer.Jwks, _issuer.Keys("new-"), TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Single((await keys.GetAsync("new-rsa", default)).Find("new-rsa"));
    }

    [Fact]
    public async Task Librdkafka_gets_in_with_a_token_and_renews_its_session_while_it_writes()
    {
        await using var broker = await StartAsync(TimeSpan.FromSeconds(2));
        using var producer = new ProducerBuilder<Null, string>(Client(broker)).SetOAuthBearerTokenRefreshHandler((client, _) =>
            client.OAuthBearerSetToken(_issuer.Token(_issuer.Claims()), (TestIssuer.Now + 600) * 1000, "mes")).Build();
        var started = TimeProvider.System.GetTimestamp();
        var written = 0;
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5))
        {
            await producer.ProduceAsync("t", new() { Value = "v" }, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken);
            written++;
        }
        Assert.Equal(written, broker.Store.Find("t")!.Partitions[0].HighWatermark);
        Assert.InRange(broker.Meters["iotgateway.broker.authentications/plant"], 3, 100);
        Assert.Equal(0, broker.Meters["iotgateway.broker.errors/protocol"]); // no session ended unrenewed
    }

    [Fact]
    public async Task A_bad_token_is_answered_as_RFC_7628_says_and_counted_at_once()
    {
        await using var broker = await StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "OAUTHBEARER" }, 1);
        var first = await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = Message(With("exp", 1)) }, 2);
        Assert.Equal((0, """{"status":"invalid_token"}"""), (first.ErrorCode, Encoding.UTF8.GetString(first.AuthBytes.Span)));
        var second = await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = new byte[] { 1 } }, 2);
        Assert.Equal((short)KafkaError.SaslAuthenticationFailed, second.ErrorCode);
        Assert.Null(await client.ReceiveAsync());
        Assert.Contains("The token has expired.", await broker.Logger.WaitForAsync("did not get in"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n,,\u0001auth=Bearer {0}\u0001\u0001", true)]
    [InlineData("n,a=mes,\u0001auth=bearer {0}\u0001traceId=7\u0001\u0001", true)]
    [InlineData("n,a=admin,\u0001auth=Bearer {0}\u0001\u0001", false)]
    [InlineData("n,,\u0001auth=Basic {0}\u0001\u0001", false)]
    [InlineData("n,,\u0001auth=Bearer {0}\u0001", false)]
    [InlineData("{0}", false)]
    [InlineData("", false)]
    public async Task The_message_is_that_of_RFC_7628(string format, bool good)
    {
        await using var broker = await StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CallAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "OAUTHBEARER" }, 1);
        var token = Encoding.UTF8.GetBytes(format.Replace("{0}", _issuer.Token(_issuer.Claims()), StringComparison.Ordinal));
        var answer = await client.CallAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = token }, 2);
        Assert.Equal(good, answer.ErrorCode == 0 && answer.AuthBytes.IsEmpty);
        if (good) Assert.InRange(answer.SessionLifetimeMs, 590_000, 600_000);
    }

    [Theory]
    [InlineData("""{"keys":[{"kty":"RSA","n":"AQAB","e":""}]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","n":"","e":"AQAB"}]}""")]
    [InlineData("""{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}""")]
    public async Task A_key_without_its_numbers_is_told(string keys)
    {
        await File.WriteAllTextAsync(_issuer.Jwks, keys, TestContext.Current.CancellationToken);
        Assert.Contains("has no '", Assert.Throws<JwksException>(() => new FileKeys(_issuer.Jwks, new ListLogger(), TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_file_that_is_none_is_named_at_the_start()
    {
        await File.WriteAllTextAsync(_issuer.Jwks, """{"keys":[{"kty":"oct","k":"AAAA"}]}""", TestContext.Current.CancellationToken);
        var problem = Assert.Throws<JwksException>(() => new FileKeys(_issuer.Jwks, new ListLogger(), TimeProvider.System));
        Assert.Contains(_issuer.Jwks, problem.Message, StringComparison.Ordinal);
    }

    Task<TestBroker> StartAsync(TimeSpan? session = null) => TestBroker.StartAsync(listeners: new BrokerListener
    {
        Name = "plant", Endpoint = new(IPAddress.Loopback, 0), Sasl = new() { Mechanisms = ["OAUTHBEARER"], MaxSession = session, OAuth = _issuer.Options with { ClockSkew = TimeSpan.Zero } },
    });

    static ClientConfig Client(TestBroker broker) => new() { BootstrapServers = broker.Bootstrap, SecurityProtocol = SecurityProtocol.SaslPlaintext, SaslMechanism = SaslMechanism.OAuthBearer };

    static byte[] Message(string token) => Encoding.ASCII.GetBytes($"n,,\u0001auth=Bearer {token}\u0001\u0001");

    async Task<(string? User, DateTimeOffset Expires, string Problem)> VerifyAsync(string token, OAuthOptions? options = null, TimeProvider? clock = null)
    {
        using var verifier = new JwtVerifier(options ?? _issuer.Options, new FileKeys(_issuer.Jwks, new ListLogger(), TimeProvider.System), clock ?? TimeProvider.System);
        return await verifier.VerifyAsync(token, TestContext.Current.CancellationToken);
    }

    string With(string claim, object value)
    {
        var claims = _issuer.Claims();
        claims[claim] = value;
        return _issuer.Token(claims);
    }

    string Without(string claim)
    {
        var claims = _issuer.Claims();
        claims.Remove(claim);
        return _issuer.Token(claims);
    }

    /// <summary>A signed token in whose header the algorithm stands twice.</summary>
    string Twice()
    {
        var parts = _issuer.Token(_issuer.Claims()).Split('.');
        parts[0] = System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"RS256","alg":"RS256","kid":"rsa"}"""u8);
        return string.Join('.', parts);
    }

    static string Change(string token, string other) => $"{token.Split('.')[0]}.{other.Split('.')[1]}.{token.Split('.')[2]}";
}
