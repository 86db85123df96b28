using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Modbus.Addresses;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Modbus.Config;

/// <summary>One tag: where it is, what it is, how it is read and written.</summary>
public sealed record TagConfig : IValidatableObject
{
    /// <summary>Name.</summary>
    [Option("Name of the tag, unique in its device.", Example = "temperature"), MinLength(1)]
    public required string Name { get; init; }

    /// <summary>Address.</summary>
    [Option("Where it is: holding:100, input:100, coil:100, discrete:100, a bit of a register as holding:100.3 (0 = least significant), or classic notation as 40101.", Example = "holding:100")]
    public required string Address { get; init; }

    /// <summary>Type.</summary>
    [Option("What the registers hold; default: bool for coils, discrete inputs and bits, uint16 for registers.", Example = "float32")]
    public RegisterType? Type { get; init; }

    /// <summary>Unit of measure.</summary>
    [Option("Unit of measure, written to every record.", Example = "°C")]
    public string? Unit { get; init; }

    /// <summary>Factor.</summary>
    [Option("Value = raw × scale + offset, computed in decimal.", Example = "0.1")]
    public decimal? Scale { get; init; }

    /// <summary>Summand.</summary>
    [Option("Added after scaling.")]
    public decimal? Offset { get; init; }

    /// <summary>Change worth publishing.</summary>
    [Option("Published only when it differs by more than this from the last published value; 0 means on any change. Without it every poll is published.", Example = "0.1"), Range(0, double.MaxValue)]
    public decimal? Deadband { get; init; }

    /// <summary>Own byte order.</summary>
    [Option("Byte order of this tag, if not the device's: AB or BA for one register, four letters for two, eight letters for four.")]
    [RegularExpression(ByteOrder.Pattern, ErrorMessage = "Allowed are AB, BA; ABCD, CDAB, BADC, DCBA; ABCDEFGH, GHEFCDAB, BADCFEHG, HGFEDCBA.")]
    public string? Order { get; init; }

    /// <summary>Own period.</summary>
    [Option("How often it is read, if not as the device's."), Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan? Every { get; init; }

    /// <summary>Octets of text.</summary>
    [Option("Length of a string or of bytes, in characters or octets; two per register."), Range(1, 246)]
    public int? Length { get; init; }

    /// <summary>Labels.</summary>
    [Option("Names of an enumeration's values, by number.", Example = "{ \"0\": \"Stopped\", \"3\": \"Running\" }")]
    public IReadOnlyDictionary<string, string>? Enum { get; init; }

    /// <summary>Write rule.</summary>
    [Option("Makes the tag writable, within limits.")]
    public WriteRule? Write { get; init; }

    /// <summary>Whether it is used.</summary>
    [Option("False switches the tag off.")]
    public bool Enabled { get; init; } = true;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => ConfigRules.Check(this);

    /// <summary>The type, given or following from the address.</summary>
    internal RegisterType TypeAt(TagAddress address)
        => Type ?? (address.Bit is not null || address.Area <= Protocol.Area.Discrete ? RegisterType.Bool : RegisterType.UInt16);
}
