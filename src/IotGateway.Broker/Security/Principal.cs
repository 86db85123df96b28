namespace IotGateway.Broker.Security;

/// <summary>Who a connection speaks for, as Kafka writes it: <c>User:mes</c>. Immutable; compared by value.</summary>
/// <param name="Type">Kind of principal; Kafka knows <c>User</c> only.</param>
/// <param name="Name">Its name, as authenticated.</param>
internal sealed record Principal(string Type, string Name)
{
    /// <summary>Everyone who did not have to say who he is.</summary>
    public static Principal Anonymous { get; } = new("User", "ANONYMOUS");

    /// <inheritdoc/>
    public override string ToString() => $"{Type}:{Name}";
}
