using System.Buffers.Text;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Security.Tls;
using IotGateway.Log;
using IotGateway.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Broker.Tests.Security;

/// <summary>
/// What a client sends to say who it is, random and mutated: every exchange answers with a step and never throws, in time, with little memory; nobody gets
/// in without the password or a signature. FUZZ says how many inputs, shared out; seed printed (<see cref="Fuzzer"/>).
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output) : IAsyncLifetime
{
    const string ServerNonce = "servernonce";
    static readonly long Each = Math.Max(1, Fuzzer.Executions(40_000) / 8);

    readonly string _folder = Directory.CreateTempSubdirectory("fuzz-users").FullName;
    LogStore _log = null!;
    UserStore _users = null!;

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _log = await LogStore.OpenAsync(new() { Directory = _folder, WalBytes = 1 << 20 }, NullLogger.Instance, TimeProvider.System, Cancel);
        _users = await UserStore.OpenAsync(_log, Cancel);
        // One iteration: what the parsers do is tried here, not how long a guess takes.
        await _users.AlterAsync(() => [.. ScramMechanism.All.Select(m => new UserChange(m, "mes", ScramCredential.FromPassword(m, "secret", 1)))], Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _users.Dispose();
        await _log.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void First_messages_of_SCRAM()
    {
        var corpus = ((string[])["n,,n=mes,r=abc", "y,a=mes,n=mes,r=abc", "n,,n=m=2Ce=3Ds,r=abc,tokenauth=true", "p=tls-unique,,n=mes,r=abc", "n,,m=x,n=mes,r=abc"]).Select(Encoding.UTF8.GetBytes).ToList();
        var challenged = 0;
        Run("scram-first", corpus, bytes => challenged += Step(Scram(ScramMechanism.Sha512), bytes).Failure is null ? 1 : 0);
        Assert.NotEqual(0, challenged);
    }

    [Fact]
    public void Last_messages_of_SCRAM()
    {
        var client = new ScramClient("mes", "secret", HashAlgorithmName.SHA256);
        var first = client.First();
        var right = client.Final(Encoding.UTF8.GetString(Step(Scram(ScramMechanism.Sha256), first).Token.Span));
        Assert.Equal("mes", TryFinal(right).User);
        Run("scram-final", [right], bytes =>
        {
            // The proof is a text whose last bits say nothing, and may have blanks: it must be the right one all the same.
            if (TryFinal(bytes).User is not null) Assert.Equal(Proof(right), Proof(bytes));
        });

        SaslStep TryFinal(byte[] bytes)
        {
            var exchange = Scram(ScramMechanism.Sha256);
            Step(exchange, first);
            return Step(exchange, bytes);
        }

        static byte[] Proof(byte[] message) => Convert.FromBase64String(Encoding.UTF8.GetString(message).Split(",p=")[^1]);
    }

    [Fact]
    public void Messages_of_PLAIN()
    {
        using var work = new SemaphoreSlim(1);
        Run("plain", [.. ((string[])["\0mes\0secret", "mes\0mes\0secret", "\0nobody\0secret", "\0\0"]).Select(Encoding.UTF8.GetBytes)], bytes =>
        {
            if (Step(new PlainExchange(_users, work, Attempt()), bytes).User is { } user) Assert.True(user == "mes" && Encoding.UTF8.GetString(bytes).EndsWith("\0mes\0secret", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Messages_of_OAUTHBEARER()
    {
        using var issuer = new TestIssuer();
        using var verifier = Verifier(issuer);
        var token = issuer.Token(issuer.Claims(), "ES256", "ec");
        byte[] right = Message(token), wordy = Encoding.Latin1.GetBytes($"n,a=mes,\u0001host=h\u0001auth=Bearer {token}\u0001logicalCluster=lkc\u0001\u0001");
        Assert.All([right, wordy], m => Assert.Equal("mes", Step(new OAuthBearerExchange(verifier, Attempt()), m).User));
        Run("oauthbearer", [right, wordy], bytes =>
        {
            if (Step(new OAuthBearerExchange(verifier, Attempt()), bytes).User is { } user) Assert.Equal("mes", user);
        });
    }

    [Fact]
    public void Heads_of_tokens()
    {
        using var issuer = new TestIssuer();
        using var verifier = Verifier(issuer);
        var heads = ((string[])["""{"alg":"ES256","kid":"ec"}""", """{"alg":"none"}""", """{"alg":"RS256","kid":null,"crit":["b64"],"typ":"JWT"}"""]).Select(Encoding.UTF8.GetBytes).ToList();
        Run("token-head", heads, bytes => Assert.Null(Step(new OAuthBearerExchange(verifier, Attempt()), Message(Base64Url.EncodeToString(bytes) + ".e30.AAAA")).User));
    }

    [Fact]
    public void Claims_whose_signature_holds()
    {
        using var issuer = new TestIssuer();
        using var verifier = Verifier(issuer);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var head = Base64Url.EncodeToString("""{"alg":"ES256"}"""u8);
        var point = key.ExportParameters(false).Q;
        var set = KeySet.Parse(JsonSerializer.SerializeToUtf8Bytes(new { keys = new[] { new { kty = "EC", crv = "P-256", x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y) } } }));
        using var signing = new JwtVerifier(issuer.Options, new Keys(set), TimeProvider.System);
        var accepted = 0;
        Run("token-claims", [JsonSerializer.SerializeToUtf8Bytes(issuer.Claims()), JsonSerializer.SerializeToUtf8Bytes(new { iss = "https://id.plant.local", aud = new[] { "a", "kafka" }, sub = "mes", exp = 4e9, nbf = 1, iat = 1 })], bytes =>
        {
            var signed = $"{head}.{Base64Url.EncodeToString(bytes)}";
            var token = $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
            if (Step(new OAuthBearerExchange(signing, Attempt()), Message(token)).User is not null) accepted++;
        });
        Assert.NotEqual(0, accepted);
    }

    [Fact]
    public void Key_sets()
    {
        using var issuer = new TestIssuer();
        Run("keys", [Encoding.UTF8.GetBytes(issuer.Keys())], bytes => KeySet.Parse(bytes), e => e is FormatException);
    }

    [Fact]
    public void Names_in_certificates()
    {
        var rules = new PrincipalRules(["RULE:^CN=([^,]+),OU=(.*)$/$1@$2/L", "DEFAULT"]);
        byte[][] names = [new X500DistinguishedName("CN=press 1, OU=\"line, 2\", O=Plant").RawData, new X500DistinguishedName("CN=a+OU=b, DC=\\#x, E=m@x").RawData];
        Run("name", names, bytes => rules.Apply(DistinguishedName.Format(bytes)), e => e is AsnContentException);
    }

    ScramExchange Scram(ScramMechanism mechanism) => new(mechanism, _users, Attempt(), ServerNonce);

    static Attempt Attempt() => new(new(TimeProvider.System), IPAddress.Loopback);

    static byte[] Message(string token) => Encoding.Latin1.GetBytes($"n,,\u0001auth=Bearer {token}\u0001\u0001");

    static JwtVerifier Verifier(TestIssuer issuer) => new(issuer.Options, new Keys(KeySet.Parse(Encoding.UTF8.GetBytes(issuer.Keys()))), TimeProvider.System);

    /// <summary>None of them waits for anything here.</summary>
    static SaslStep Step(ISaslExchange exchange, byte[] message)
    {
        var step = exchange.NextAsync(message, default).AsTask();
        Assert.True(step.IsCompleted);
        return step.GetAwaiter().GetResult();
    }

    void Run(string target, IReadOnlyList<byte[]> corpus, Action<byte[]> body, Func<Exception, bool>? declared = null)
    {
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {Each} inputs");
        var fuzzer = new Fuzzer(target, Fuzzer.Seed);
        fuzzer.Run(Each, corpus, body, declared ?? (_ => false));
        output.WriteLine($"{fuzzer.Refused} refused");
    }

    sealed class Keys(KeySet set) : IKeySource
    {
        public ValueTask<KeySet> GetAsync(string? wanted, CancellationToken ct) => new(set);

        public void Dispose()
        {
        }
    }
}
