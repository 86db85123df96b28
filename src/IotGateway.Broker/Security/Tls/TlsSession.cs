using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;

namespace IotGateway.Broker.Security.Tls;

/// <summary>TLS on one connection; disposing it says goodbye to the client and gives the transport back.</summary>
/// <param name="connection">Whose transport it is.</param>
/// <param name="plain">The transport below.</param>
/// <param name="stream">TLS itself.</param>
/// <param name="principal">Who the client's certificate says it is; null when it brought none.</param>
internal sealed class TlsSession(ConnectionContext connection, IDuplexPipe plain, SslStream stream, Principal? principal) : IAsyncDisposable
{
    public Principal? Principal => principal;

    public async ValueTask DisposeAsync()
    {
        try
        {
            await stream.ShutdownAsync();
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The client has left first; there is nobody to say goodbye to.
        }
        await stream.DisposeAsync();
        connection.Transport = plain;
    }
}
