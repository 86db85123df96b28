using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>A user of the Kafka protocol.</summary>
public sealed record UserConfig
{
    [Option("Name, as clients log in.", Example = "admin"), RegularExpression("^[^\u0000-\u001f]{1,255}$", ErrorMessage = "A name has 1 to 255 characters.")]
    public required string Name { get; init; }

    [Option("Password.", Secret = true, Example = "${file:admin.secret}"), MinLength(1, ErrorMessage = "Must not be empty.")]
    public required string Password { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{nameof(UserConfig)} {Name}"; // never the password
}
