using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Tests.Server;

/// <summary>A Kafka client of the simplest kind: frames out, frames in, ten seconds' patience.</summary>
sealed class RawClient : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    readonly TcpClient _tcp = new() { NoDelay = true };
    Stream _stream = null!; // kept: a half-closed socket gives none
    int _correlation;

    public static Task<RawClient> ConnectAsync(IPEndPoint endpoint) => ConnectFromAsync(null, endpoint);

    /// <param name="from">The client's own address; null: any.</param>
    /// <param name="endpoint">Of the broker.</param>
    public static async Task<RawClient> ConnectFromAsync(IPAddress? from, IPEndPoint endpoint)
    {
        var client = new RawClient();
        if (from is not null) client._tcp.Client.Bind(new IPEndPoint(from, 0));
        await client._tcp.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        client._stream = client._tcp.GetStream();
        return client;
    }

    public static async Task<RawClient> ConnectAsync(IPEndPoint endpoint, SslClientAuthenticationOptions tls)
    {
        var client = await ConnectAsync(endpoint);
        var stream = new SslStream(client._stream);
        client._stream = stream;
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            await stream.AuthenticateAsClientAsync(tls, timeout.Token);
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
        return client;
    }

    /// <summary>What the broker has shown.</summary>
    public X509Certificate? ServerCertificate => (_stream as SslStream)?.RemoteCertificate;

    public async Task<TResponse> CallAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
    {
        await SendAsync(request, version);
        return await ReceiveAsync<TResponse>(version);
    }

    public Task SendAsync<TRequest>(TRequest request, short version) where TRequest : IKafkaMessage<TRequest>
        => SendAsync(Frame(request, version));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
        => await _stream.WriteAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>A frame of nothing but these bytes.</summary>
    public static byte[] Bare(ReadOnlySpan<byte> token)
    {
        var frame = new byte[4 + token.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, token.Length);
        token.CopyTo(frame.AsSpan(4));
        return frame;
    }

    /// <summary>Closes the sending half.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    public byte[] Frame<TRequest>(TRequest request, short version) where TRequest : IKafkaMessage<TRequest>
    {
        using var writer = new KafkaWriter();
        writer.WriteInt32(0);
        new RequestHeader(TRequest.Api, version, ++_correlation, "raw").Write(writer, version >= TRequest.FlexibleFrom);
        request.Write(writer, version);
        writer.PatchInt32(0, (int)writer.Length - 4);
        return writer.ToArray();
    }

    public async Task<TResponse> ReceiveAsync<TResponse>(short version) where TResponse : IKafkaMessage<TResponse>
    {
        var frame = await ReceiveAsync() ?? throw new IOException("The broker closed the connection.");
        return Parse<TResponse>(frame, version);
    }

    /// <summary>The next frame with its correlation id; null when the broker closed the connection.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            var prefix = new byte[4];
            await _stream.ReadExactlyAsync(prefix, timeout.Token);
            var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix)];
            await _stream.ReadExactlyAsync(frame, timeout.Token);
            return frame;
        }
        catch (Exception closed) when (closed is EndOfStreamException or IOException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.CompletedTask;
        _tcp.Dispose();
    }

    public static TResponse Parse<TResponse>(byte[] frame, short version) where TResponse : IKafkaMessage<TResponse>
    {
        var reader = new KafkaReader(frame);
        reader.ReadInt32();
        if (version >= TResponse.FlexibleFrom && TResponse.Api != ApiKey.ApiVersions) reader.SkipTags();
        var response = TResponse.Read(ref reader, version);
        Assert.Equal(0, reader.Remaining);
        return response;
    }
}
