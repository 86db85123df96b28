using System.Net;
using System.Security.Cryptography;
using System.Text;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Tests.Server;

namespace IotGateway.Broker.Tests.Security;

public sealed class ScramTests
{
    [Fact]
    public async Task Answers_as_the_example_of_RFC_7677_does()
    {
        await using var broker = await TestBroker.StartAsync();
        using var users = await UserStore.OpenAsync(broker.Store, TestContext.Current.CancellationToken);
        var mechanism = ScramMechanism.Sha256;
        var salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");
        var credential = ScramCredential.FromSalted(mechanism, 4096, salt, mechanism.Salted("pencil", salt, 4096));
        await users.AlterAsync(() => [new(mechanism, "user", credential)], TestContext.Current.CancellationToken);
        var exchange = new ScramExchange(mechanism, users, new(new(TimeProvider.System), IPAddress.Loopback), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");

        var challenge = await NextAsync(exchange, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        Assert.Equal("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", Text(challenge));
        var end = await NextAsync(exchange, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        Assert.Equal(("user", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), (end.User, Text(end)));
        Assert.NotNull((await NextAsync(exchange, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")).Failure);
    }

    [Theory]
    [InlineData("")]
    [InlineData("n,,")]
    [InlineData("n,,n=mes")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,n=mes,r=")]
    [InlineData("n,,n=mes,r=a\u0001b")]
    [InlineData("n,,r=abc,n=mes")]
    [InlineData("p=tls-unique,,n=mes,r=abc")]
    [InlineData("x,,n=mes,r=abc")]
    [InlineData("n,a=other,n=mes,r=abc")]
    [InlineData("n,mes,n=mes,r=abc")]
    [InlineData("n,,m=ext,n=mes,r=abc")]
    [InlineData("n,,n=me=s,r=abc")]
    [InlineData("n,,n=mes,r=abc,tokenauth=true")]
    public async Task Refuses_a_first_message_that_is_none(string first)
    {
        await using var broker = await SaslBroker.StartAsync();
        Assert.NotNull((await NextAsync(broker.Exchange(ScramMechanism.Sha256), first)).Failure);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("y,,", null, false)] // another flag than in the first message
    [InlineData("p=tls-unique,,", null, false)]
    [InlineData("n,a=admin,", null, false)]
    [InlineData(null, "clientnonce", false)] // the server's part left out
    [InlineData(null, "another", false)]
    public async Task Takes_the_last_message_only_with_header_and_nonce_of_the_first(string? binding, string? nonce, bool good)
    {
        await using var broker = await SaslBroker.StartAsync();
        var exchange = broker.Exchange(ScramMechanism.Sha512);
        var client = new ScramClient("mes", "secret", HashAlgorithmName.SHA512);
        var challenge = await exchange.NextAsync(client.First(), TestContext.Current.CancellationToken);
        var end = await exchange.NextAsync(client.Final(Text(challenge), binding, nonce), TestContext.Current.CancellationToken);
        Assert.Equal(good ? "mes" : null, end.User);
    }

    [Theory]
    [InlineData("mes", "Secret")]
    [InlineData("mes", "")]
    [InlineData("mes", "secret ")]
    [InlineData("Mes", "secret")]
    [InlineData("nobody", "secret")]
    public async Task Refuses_a_wrong_password_and_an_unknown_user_at_the_proof(string user, string password)
    {
        await using var broker = await SaslBroker.StartAsync();
        var exchange = broker.Exchange(ScramMechanism.Sha256);
        var client = new ScramClient(user, password, HashAlgorithmName.SHA256);
        var challenge = await exchange.NextAsync(client.First(), TestContext.Current.CancellationToken);
        Assert.Null(challenge.Failure);
        Assert.NotNull((await exchange.NextAsync(client.Final(Text(challenge)), TestContext.Current.CancellationToken)).Failure);
    }

    [Fact]
    public async Task An_exchange_played_again_is_refused()
    {
        await using var broker = await SaslBroker.StartAsync();
        var client = new ScramClient("mes", "secret", HashAlgorithmName.SHA256);
        var (first, again) = (broker.Exchange(ScramMechanism.Sha256), broker.Exchange(ScramMechanism.Sha256));
        var final = client.Final(Text(await first.NextAsync(client.First(), TestContext.Current.CancellationToken)));
        Assert.Equal("mes", (await first.NextAsync(final, TestContext.Current.CancellationToken)).User);
        await again.NextAsync(client.First(), TestContext.Current.CancellationToken);
        Assert.NotNull((await again.NextAsync(final, TestContext.Current.CancellationToken)).Failure);
    }

    [Fact]
    public async Task An_unknown_user_cannot_be_told_from_a_known_one_by_the_challenge()
    {
        await using var broker = await SaslBroker.StartAsync();
        var salts = new List<string[]>();
        foreach (var user in new[] { "mes", "mes", "nobody", "nobody", "no-one" })
            salts.Add(Text(await NextAsync(broker.Exchange(ScramMechanism.Sha256), $"n,,n={user},r=abc")).Split(',')[1..]);
        Assert.All(salts, s => Assert.Equal(salts[0][1], s[1])); // iterations
        Assert.All(salts, s => Assert.Equal(salts[0][0].Length, s[0].Length));
        Assert.Equal(salts[2][0], salts[3][0]);
        Assert.NotEqual(salts[3][0], salts[4][0]);
    }

    [Fact]
    public async Task A_name_with_comma_and_equals_sign_is_escaped()
    {
        await using var broker = await SaslBroker.StartAsync(new BrokerUser("a=b,c", "secret"));
        var exchange = broker.Exchange(ScramMechanism.Sha256);
        var client = new ScramClient("a=3Db=2Cc", "secret", HashAlgorithmName.SHA256);
        var challenge = await exchange.NextAsync(client.First(), TestContext.Current.CancellationToken);
        Assert.Equal("a=b,c", (await exchange.NextAsync(client.Final(Text(challenge)), TestContext.Current.CancellationToken)).User);
    }

    static ValueTask<SaslStep> NextAsync(ScramExchange exchange, string token) => exchange.NextAsync(Encoding.UTF8.GetBytes(token), TestContext.Current.CancellationToken);

    static string Text(SaslStep step) => Encoding.UTF8.GetString(step.Token.Span);
}
