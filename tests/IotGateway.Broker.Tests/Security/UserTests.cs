using System.Security.Cryptography;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Tests.Server;
using Upsertion = IotGateway.Broker.Protocol.Messages.AlterUserScramCredentialsRequest.ScramCredentialUpsertion;

namespace IotGateway.Broker.Tests.Security;

/// <summary>SCRAM users over the protocol (KIP-554), and those of the configuration.</summary>
public sealed class UserTests
{
    [Fact]
    public async Task A_user_is_made_described_and_removed()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal([("a", 0)], await AlterAsync(client, new() { Upsertions = [Upsert("a", 1), Upsert("a", 2, 8192)] }));
        Assert.Equal([("b", 0)], await AlterAsync(client, new() { Upsertions = [Upsert("b", 2)] }));
        Assert.Equal(["a 0 1:4096 2:8192", "b 0 2:4096"], await DescribeAsync(client, null));
        Assert.Equal(["b 0 2:4096", "c 91 ", "a 92 "], await DescribeAsync(client, "b", "c", "a", "a"));
        Assert.Equal([("a", 0)], await AlterAsync(client, new() { Deletions = [new() { Name = "a", Mechanism = 1 }] }));
        Assert.Equal(["a 0 2:8192", "b 0 2:4096"], await DescribeAsync(client));
    }

    [Theory]
    [InlineData("", 1, 4096, 32, 93)]
    [InlineData("a", 0, 4096, 32, 33)]
    [InlineData("a", 3, 4096, 32, 33)]
    [InlineData("a", 1, 4095, 32, 93)]
    [InlineData("a", 1, 16385, 32, 93)]
    [InlineData("a", 1, 16384, 32, 0)]
    [InlineData("a", 2, 4096, 32, 93)] // too short for SHA-512
    public async Task What_Kafka_refuses_is_refused(string user, sbyte mechanism, int iterations, int length, short error)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var upsertion = new Upsertion { Name = user, Mechanism = mechanism, Iterations = iterations, Salt = new byte[16], SaltedPassword = new byte[length] };
        Assert.Equal([(user, error)], await AlterAsync(client, new() { Upsertions = [upsertion] }));
    }

    [Fact]
    public async Task One_wrong_change_leaves_that_user_as_he_is_and_the_others_change()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var changed = await AlterAsync(client, new()
        {
            Deletions = [new() { Name = "none", Mechanism = 1 }],
            Upsertions = [Upsert("a", 1), Upsert("a", 2, 100), Upsert("b", 1), Upsert("c", 1), Upsert("c", 1)],
        });
        Assert.Equal([("none", 91), ("a", 93), ("b", 0), ("c", 92)], changed);
        Assert.Equal(["b 0 1:4096"], await DescribeAsync(client));
    }

    [Fact]
    public async Task Users_survive_a_restart_and_their_passwords_are_nowhere_on_disk()
    {
        const string Password = "correct horse battery staple";
        var first = await TestBroker.StartAsync(new() { Users = [new("mes", Password)] }, keep: true);
        await first.DisposeAsync();
        foreach (var file in Directory.EnumerateFiles(first.Directory, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
            Assert.Equal(-1, (await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Password)));
        await using var second = await TestBroker.StartAsync(new() { Users = [new("mes", Password)] }, first.Directory);
        using var users = await UserStore.OpenAsync(second.Store, TestContext.Current.CancellationToken);
        Assert.All(users.Of("mes"), c => Assert.True(c.Fits(Password)));
        Assert.All(users.Of("mes"), c => Assert.False(c.Fits(Password + ".")));
        Assert.Equal(2, users.Of("mes").Count);
    }

    [Fact]
    public async Task The_configurations_users_follow_it_and_others_stay()
    {
        var first = await TestBroker.StartAsync(new() { Users = [new("gone", "1"), new("kept", "1"), new("changed", "1")] }, keep: true);
        byte[] before;
        await using (first)
        {
            await using var client = await first.ConnectAsync();
            await AlterAsync(client, new() { Upsertions = [Upsert("made", 1)] });
            using var users = await UserStore.OpenAsync(first.Store, TestContext.Current.CancellationToken);
            before = users.Of("kept")[0].Salt;
        }
        await using var second = await TestBroker.StartAsync(new() { Users = [new("kept", "1"), new("changed", "2")] }, first.Directory);
        using var after = await UserStore.OpenAsync(second.Store, TestContext.Current.CancellationToken);
        Assert.Equal(["changed", "kept", "made"], after.All().Select(u => u.User));
        Assert.True(after.Of("changed")[1].Fits("2"));
        Assert.Equal(before, after.Of("kept")[0].Salt);
    }

    [Fact]
    public async Task The_admin_client_of_librdkafka_makes_a_user_who_can_then_log_in()
    {
        await using var broker = await SaslBroker.StartAsync();
        using var admin = new AdminClientBuilder(broker.Client(SaslMechanism.ScramSha256)).Build();
        await admin.AlterUserScramCredentialsAsync([new UserScramCredentialUpsertion
        {
            User = "new",
            ScramCredentialInfo = new() { Mechanism = Confluent.Kafka.Admin.ScramMechanism.ScramSha512, Iterations = 5000 },
            Password = Encoding.UTF8.GetBytes("pass"),
            Salt = RandomNumberGenerator.GetBytes(20),
        }]);
        var described = await admin.DescribeUserScramCredentialsAsync(["new"]);
        Assert.Equal(5000, described.UserScramCredentialsDescriptions[0].ScramCredentialInfos.Single().Iterations);
        using var own = new AdminClientBuilder(broker.Client(SaslMechanism.ScramSha512, "new", "pass")).Build();
        Assert.NotEmpty(own.GetMetadata(TimeSpan.FromSeconds(10)).Brokers);
    }

    [Theory, InlineData(SaslMechanism.Plain), InlineData(SaslMechanism.ScramSha256), InlineData(SaslMechanism.ScramSha512)]
    public async Task Librdkafka_gets_in_by_every_mechanism_and_not_with_a_wrong_password(SaslMechanism mechanism)
    {
        await using var broker = await SaslBroker.StartAsync();
        using (var producer = new ProducerBuilder<Null, string>(broker.Client(mechanism)).Build())
            Assert.Equal(0, (await producer.ProduceAsync("t", new() { Value = "v" }, TestContext.Current.CancellationToken)).Offset.Value);
        var refused = new TaskCompletionSource<Error>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stranger = new ProducerBuilder<Null, string>(broker.Client(mechanism, password: "wrong")).SetLogHandler((_, _) => { })
            .SetErrorHandler((_, e) => { if (e.Code == ErrorCode.Local_Authentication) refused.TrySetResult(e); }).Build();
        var error = await refused.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Contains("user or password is wrong", error.Reason, StringComparison.Ordinal);
    }

    static Upsertion Upsert(string user, sbyte mechanism, int iterations = 4096)
        => new() { Name = user, Mechanism = mechanism, Iterations = iterations, Salt = new byte[16], SaltedPassword = new byte[mechanism == 1 ? 32 : 64] };

    static async Task<List<(string, short)>> AlterAsync(RawClient client, AlterUserScramCredentialsRequest request)
        => [.. (await client.CallAsync<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>(request, 0)).Results.Select(r => (r.User, r.ErrorCode))];

    static async Task<List<string>> DescribeAsync(RawClient client, params string[]? users)
        => [.. (await client.CallAsync<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>(new() { Users = users?.Select(u => new DescribeUserScramCredentialsRequest.UserName { Name = u }).ToList() }, 0))
            .Results.Select(r => $"{r.User} {r.ErrorCode} {string.Join(' ', r.CredentialInfos.Select(c => $"{c.Mechanism}:{c.Iterations}"))}")];
}
