using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Tests.Server;

/// <summary>What ACLs say, case by case (KIP-11, KIP-290, KIP-679, KIP-801).</summary>
public sealed class AclIndexTests
{
    [Theory]
    [InlineData("", "read t", "Silent")]
    [InlineData("allow User:mes * read literal t", "read t", "Allowed")]
    [InlineData("allow User:mes * read literal t", "write t", "Denied")]
    [InlineData("allow User:mes * read literal t", "read u", "Silent")]
    [InlineData("allow User:other * read literal t", "read t", "Denied")]
    [InlineData("allow User:* * read literal t", "read t", "Allowed")]
    [InlineData("allow User:mes * read literal *", "read t", "Allowed")]
    [InlineData("allow User:mes * all literal t", "alterconfigs t", "Allowed")]
    [InlineData("allow User:mes 10.0.0.1 read literal t", "read t", "Allowed")]
    [InlineData("allow User:mes 10.0.0.2 read literal t", "read t", "Denied")]
    [InlineData("allow User:mes * read prefixed plant.", "read plant.a", "Allowed")]
    [InlineData("allow User:mes * read prefixed plant.", "read plant", "Silent")]
    [InlineData("allow User:mes * read prefixed plant.a;allow User:mes * write prefixed plant", "write plant.a", "Allowed")]
    [InlineData("allow User:mes * read literal t;deny User:mes * read literal t", "read t", "Denied")]
    [InlineData("allow User:mes * read literal t;deny User:* * read literal *", "read t", "Denied")]
    [InlineData("allow User:mes * read literal t;deny User:mes * read prefixed t", "read t", "Denied")]
    [InlineData("allow User:mes * read literal t;deny User:mes 10.0.0.2 all literal t", "read t", "Allowed")]
    // Permissions imply looking, denials do not.
    [InlineData("allow User:mes * read literal t", "describe t", "Allowed")]
    [InlineData("allow User:mes * write literal t", "describe t", "Allowed")]
    [InlineData("allow User:mes * delete literal t", "describe t", "Allowed")]
    [InlineData("allow User:mes * alter literal t", "describe t", "Allowed")]
    [InlineData("allow User:mes * create literal t", "describe t", "Denied")]
    [InlineData("allow User:mes * alterconfigs literal t", "describe t", "Denied")]
    [InlineData("allow User:mes * alterconfigs literal t", "describeconfigs t", "Allowed")]
    [InlineData("allow User:mes * alter literal t", "describeconfigs t", "Denied")]
    [InlineData("deny User:mes * read literal t;allow User:mes * describe literal t", "describe t", "Allowed")]
    [InlineData("deny User:mes * all literal t;allow User:mes * describe literal t", "describe t", "Denied")]
    public void Answers_one_question(string acls, string asked, string verdict)
    {
        var (operation, name) = (asked.Split(' ')[0], asked.Split(' ')[1]);
        var question = new AclQuestion("User:mes", "10.0.0.1", Enum.Parse<AclOperation>(operation, ignoreCase: true), ResourceType.Topic);
        Assert.Equal(verdict, Index(acls).Ask(question, name).ToString());
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("allow User:mes * write literal t", true)]
    [InlineData("allow User:mes * read literal t", false)]
    [InlineData("allow User:mes * all prefixed t", true)]
    [InlineData("allow User:mes * write literal t;deny User:mes * write literal t", false)]
    [InlineData("allow User:mes * write literal t;deny User:mes * write literal u", true)]
    [InlineData("allow User:mes * write literal ta;deny User:mes * write prefixed t", false)]
    [InlineData("allow User:mes * write prefixed ta;deny User:mes * write prefixed t", false)]
    [InlineData("allow User:mes * write prefixed t;deny User:mes * write prefixed ta", true)]
    [InlineData("allow User:mes * write prefixed t;deny User:mes * write literal t", true)]
    [InlineData("allow User:mes * write literal *;deny User:mes * write prefixed t", true)]
    [InlineData("allow User:mes * write literal *;deny User:* * all literal *", false)]
    [InlineData("allow User:mes 10.0.0.2 write literal t", false)]
    public void Knows_whether_there_is_any_resource(string acls, bool some)
        => Assert.Equal(some, Index(acls).AllowsSome(new("User:mes", "10.0.0.1", AclOperation.Write, ResourceType.Topic)));

    [Theory]
    [InlineData("Any", null, 3)]
    [InlineData("Literal", "ta", 1)]
    [InlineData("Prefixed", "t", 1)]
    [InlineData("Any", "t", 1)]
    [InlineData("Match", "ta", 3)]
    [InlineData("Match", "u", 1)]
    [InlineData("Match", null, 3)]
    public void Finds_by_pattern(string pattern, string? name, int found)
    {
        var index = Index("allow User:mes * read literal ta;allow User:mes * read prefixed t;allow User:mes * read literal *");
        var filter = new AclFilter(ResourceType.Topic, name, Enum.Parse<PatternType>(pattern), null, null, AclOperation.Any, AclPermission.Any);
        Assert.Equal(found, index.All.Count(filter.Matches));
    }

    static AclIndex Index(string acls) => new(acls.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(Parse));

    static Acl Parse(string text)
    {
        var words = text.Split(' ');
        return new(ResourceType.Topic, words[5], Enum.Parse<PatternType>(words[4], true), words[1], words[2], Enum.Parse<AclOperation>(words[3], true), Enum.Parse<AclPermission>(words[0], true));
    }
}
