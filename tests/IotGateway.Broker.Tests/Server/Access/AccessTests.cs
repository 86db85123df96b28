using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Tests.Server.Access;

/// <summary>Every API refuses those who may not, and is content with exactly the ACLs it needs.</summary>
public sealed class AccessTests
{
    /// <summary>What comes before a client has said who it is.</summary>
    static readonly ApiKey[] Open = [ApiKey.ApiVersions, ApiKey.SaslHandshake, ApiKey.SaslAuthenticate];

    public static TheoryData<short> Keys => [.. AccessCases.All.Select(c => (short)c.Api).Distinct().Order()];

    [Fact]
    public async Task Every_api_has_its_cases_and_they_use_what_it_declares()
    {
        await using var world = await AccessWorld.StartAsync();
        foreach (var api in world.Apis)
        {
            var used = AccessCases.All.Where(c => c.Api == api.Key).SelectMany(c => c.Ways).SelectMany(w => w).Select(g => g.Rule.ToString()).Distinct().Order();
            Assert.Equal([$"{api.Key}:", .. used], [$"{api.Key}:", .. api.Access.Select(r => r.ToString()).Order()]);
            Assert.True(api.Access.Count > 0 || Open.Contains(api.Key), $"{api.Key} checks nothing.");
        }
    }

    [Theory, MemberData(nameof(Keys))]
    public async Task Is_refused_without_acls_and_done_with_exactly_those_it_needs(short key)
    {
        await using var world = await AccessWorld.StartAsync();
        foreach (var one in AccessCases.All.Where(c => (short)c.Api == key))
        {
            var all = await AskAsync(world, one, null);
            Assert.NotEqual(one.Denied, all);
            Assert.Equal($"{one.What}: {one.Denied}", $"{one.What}: {await AskAsync(world, one, [])}");
            foreach (var way in one.Ways)
            {
                Assert.Equal($"{one.What}: {all}", $"{one.What}: {await AskAsync(world, one, way)}");
                foreach (var missing in way.Length > 1 ? way : [])
                    Assert.NotEqual($"{all} without {missing}", $"{await AskAsync(world, one, way.Where(g => g != missing))} without {missing}");
            }
        }
    }

    static async Task<string> AskAsync(AccessWorld world, AccessCase one, IEnumerable<Grant>? grants)
    {
        await world.ResetAsync();
        if (grants is not null) await world.AllowAsync(grants);
        return await one.Ask(world);
    }
}
