using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>Where secrets may be read from.</summary>
public sealed record SecretsConfig : IValidatableObject
{
    [Option("Absolute folders ${file:…} may read from, beside the configuration folder and /run/secrets.", Example = "[\"/etc/iotgateway/secrets\"]")]
    public IReadOnlyList<string> Folders { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Folders.Count; i++)
            if (!Path.IsPathFullyQualified(Folders[i])) yield return new("Must be an absolute path.", [$"{nameof(Folders)}[{i}]"]);
    }
}
