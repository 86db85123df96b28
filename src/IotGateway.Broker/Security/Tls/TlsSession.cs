using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;

namespace IotGateway.Broker.Security.Tls;

/// <summary>TLS on one connection; disposing it says goodbye to the client and gives the transport back.</summary>
/// <param name="connection">Whose transport it is.</param>
/// <param name="plain">The transport below.</param>
/// <param name="stream">TLS itself.</param>
/// <param name="time">Clock of the goodbye's patience.</param>
/// <param name="principal">Who the client's certificate says it is; null when it brought none.</param>
internal sealed class TlsSession(ConnectionContext connection, IDuplexPipe plain, SslStream stream, TimeProvider time, Principal? principal) : IAsyncDisposable
{
    static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(5);

    public Principal? Principal => principal;

    public async ValueTask DisposeAsync()
    {
        try
        {
            await stream.ShutdownAsync().WaitAsync(Goodbye, time);
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException or OperationCanceledException or TimeoutException)
        {
            // The client has left first, or does not read; there is nobody to say goodbye to.
        }
        await stream.DisposeAsync();
        connection.Transport = plain;
    }
}
