namespace Acceptance.Tests.Interruptions;

/// <summary>Where an exchange of QoS 2 (MQTT 5 §4.3.3) is interrupted: at the next packet of a type, exactly before it passes or exactly after.</summary>
/// <param name="Name">For people.</param>
/// <param name="Type">Control packet type (§2.1.2).</param>
/// <param name="Passes">Whether that packet still passes.</param>
sealed record CutPoint(string Name, int Type, bool Passes)
{
    /// <summary>Every step, from the message to the end of its exchange.</summary>
    public static IReadOnlyList<CutPoint> OfQos2 { get; } =
    [
        new("behind PUBLISH", 3, Passes: true), new("before PUBREC", 5, Passes: false), new("before PUBREL", 6, Passes: false),
        new("behind PUBREL", 6, Passes: true), new("before PUBCOMP", 7, Passes: false), new("behind PUBCOMP", 7, Passes: true),
    ];
}
