using System.Security.Cryptography.X509Certificates;
using IotGateway.Broker.Security.Tls;

namespace IotGateway.Broker.Tests.Security;

/// <summary>Subjects as Java's X500Principal.getName() has written them (OpenJDK 17), which is what Kafka's ACLs hold.</summary>
public sealed class DistinguishedNameTests
{
    [Theory]
    [InlineData("3056310b3009060355040613024445310f300d06035504080c0642617965726e310c300a06035504070c03556c6d31163014060355040a0c0d506c616e742c204e6f727468203110300e06035504030c0770726573732331", @"CN=press\#1,O=Plant\, North\ ,L=Ulm,ST=Bayern,C=DE")]
    [InlineData("30313119301706035504030c10206c65616420616e6420747261696c203114301206092a864886f70d01090116056140622e63", @"1.2.840.113549.1.9.1=#16056140622e63,CN=\ lead and trail\ ")]
    [InlineData("305e31133011060a0992268993f22c64011916036f726731153013060a0992268993f22c6401191605706c616e7431133011060a0992268993f22c6401010c036d6573311b301906035504030c1267c3a972c3a47420227822203c793e3b5c7a", @"CN=gérät \""x\"" \<y\>\;\\z,UID=mes,DC=plant,DC=org")]
    [InlineData("304331183008060355040a0c0141300c06035504030c056d756c7469310b3009060355040513023137310a3008060355040c0c0178310e300c06035504090c055765672031", "STREET=Weg 1,2.5.4.12=#0c0178,2.5.4.5=#13023137,O=A+CN=multi")]
    [InlineData("3010310e300c06035504030c052368617368", @"CN=\#hash")]
    [InlineData("3000", "")]
    public void Is_written_as_Kafka_writes_it(string der, string expected) => Assert.Equal(expected, DistinguishedName.Format(Convert.FromHexString(der)));

    [Fact]
    public void Equals_signs_in_a_value_are_escaped_as_Java_does()
        => Assert.Equal(@"CN=a\=b\+c", DistinguishedName.Format(new X500DistinguishedName("CN=\"a=b+c\"").RawData));

    [Theory]
    [InlineData("CN=kafka1, OU=SME", "RULE:.*/x/", "x")]
    [InlineData("CN=Duke,OU=SME", "RULE:^CN=(.*?),OU=SME$/$1@sme/L", "duke@sme")]
    [InlineData("CN=Duke,OU=SME", "RULE:^CN=(.*?),OU=$/$1/", null)]
    [InlineData("CN=a/b", @"RULE:^CN=(.*)\/b$/$1\/c/U", "A/C")]
    [InlineData("CN=(a+)+", @"RULE:^CN=(a+)+$/x/", null)]
    public void Rules_make_names_as_Kafkas_do(string subject, string rule, string? expected) => Assert.Equal(expected, new PrincipalRules([rule]).Apply(subject));

    [Theory, InlineData("CN=x"), InlineData("RULE:a"), InlineData("RULE:a/b"), InlineData("RULE:(/b/"), InlineData("default"), InlineData("RULE:a/b/X")]
    public void What_is_no_rule_is_refused(string rule) => Assert.ThrowsAny<ArgumentException>(() => new PrincipalRules([rule]));
}
