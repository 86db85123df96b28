using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Configs;

/// <summary>The REST interface.</summary>
public sealed record RestConfig : IValidatableObject
{
    [Option("Whether it is served.", Advanced = true)]
    public bool Enabled { get; init; } = true;

    [Option("Address and port; port 0 takes a free one."), ListenAddress]
    public string Listen { get; init; } = "127.0.0.1:8083";

    [Option("Allows listening beyond this machine without authentication.", Advanced = true)]
    public bool Insecure { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Insecure && ListenAddressAttribute.IsExposed(Listen)) yield return new(ListenAddressAttribute.Exposed, [nameof(Listen)]);
    }
}
