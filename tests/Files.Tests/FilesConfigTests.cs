using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Files.Config;

namespace Files.Tests;

/// <summary>Rules across options.</summary>
public sealed class FilesConfigTests
{
    [Theory]
    [InlineData("logs/*.log", "not absolute")]
    [InlineData("/var/log/", "folder")]
    [InlineData("/var/../etc/*", "'..'")]
    public void Rejects_a_path_that_names_no_files(string path, string why)
        => Assert.Contains(why, Assert.Single(Errors(new() { Path = path })).ErrorMessage, StringComparison.Ordinal);

    [Fact]
    public void Rejects_an_unknown_word_in_topic_and_key_and_a_line_limit_out_of_range()
    {
        var errors = Errors(new() { Path = "/x", Topic = "a.${device}", Key = "${nothing}", MaxLine = new(1) });
        Assert.Equal(["MaxLine", "Topic", "Key"], errors.SelectMany(e => e.MemberNames));
    }

    [Fact]
    public void Accepts_the_shortest_configuration() => Assert.Empty(Errors(new() { Path = "/var/log/press/*.log" }));

    static List<ValidationResult> Errors(FilesConfig config) => [.. config.Validate(new ValidationContext(config))];
}
