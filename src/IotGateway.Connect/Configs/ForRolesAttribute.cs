using IotGateway.Sdk;

namespace IotGateway.Connect.Configs;

/// <summary>A common option that only connectors with one of these roles have.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ForRolesAttribute(ConnectorRoles roles) : Attribute
{
    public ConnectorRoles Roles { get; } = roles;
}
