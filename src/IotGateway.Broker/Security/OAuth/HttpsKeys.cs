using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>
/// Keys from an identity provider's https address. Fetched on first use, once an hour, and when a token names a key that is not known, but at most
/// once a minute; when that fails the keys fetched before stay in force. Redirections are not followed and link-local addresses
/// (where clouds keep their machines' secrets) not connected to. Thread-safe.
/// </summary>
internal sealed partial class HttpsKeys : IKeySource
{
    const int MostBytes = 1 << 20;
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10), Refresh = TimeSpan.FromHours(1), Pause = TimeSpan.FromMinutes(1);
    readonly Uri _address;
    readonly HttpClient _http;
    readonly ILogger _logger;
    readonly TimeProvider _time;
    readonly SemaphoreSlim _turn = new(1, 1);
    volatile KeySet _keys = KeySet.Empty;
    long _fetched, _tried;
    bool _told;

    /// <exception cref="JwksException">The file of authorities cannot be read.</exception>
    public HttpsKeys(Uri address, string? authorities, ILogger logger, TimeProvider time)
    {
        (_address, _logger, _time) = (address, logger, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = Timeout, ConnectCallback = ConnectAsync };
        if (authorities is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            try
            {
                handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authorities);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
            {
                handler.Dispose();
                throw new JwksException($"The authorities '{authorities}' cannot be read: {e.Message}", e);
            }
        }
        _http = new(handler) { Timeout = Timeout, MaxResponseContentBufferSize = MostBytes };
    }

    public async ValueTask<KeySet> GetAsync(string? wanted, CancellationToken ct)
    {
        if (Fits(wanted)) return _keys;
        await _turn.WaitAsync(ct);
        try
        {
            if (!Fits(wanted) && (_tried == 0 || _time.GetElapsedTime(_tried) >= Pause)) await FetchAsync(ct);
            return _keys != KeySet.Empty ? _keys : throw new JwksException($"The keys at {_address} could not be fetched yet.");
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _turn.Dispose();
    }

    bool Fits(string? wanted) => _keys != KeySet.Empty && _keys.Find(wanted).Count > 0 && _time.GetElapsedTime(Volatile.Read(ref _fetched)) < Refresh;

    async ValueTask FetchAsync(CancellationToken ct)
    {
        _tried = _time.GetTimestamp();
        try
        {
            using var response = await _http.GetAsync(_address, ct);
            if (response.StatusCode != HttpStatusCode.OK) throw new FormatException($"It answers {(int)response.StatusCode}.");
            _keys = KeySet.Parse(await response.Content.ReadAsByteArrayAsync(ct));
            Volatile.Write(ref _fetched, _time.GetTimestamp());
            _told = false;
        }
        catch (Exception e) when (e is HttpRequestException or FormatException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            if (!_told) Log.NotFetched(_logger, _address, e.InnerException?.Message ?? e.Message);
            _told = true;
        }
    }

    static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, ct);
        var allowed = Array.FindAll(addresses, a => !IsLinkLocal(a));
        if (allowed.Length == 0) throw new HttpRequestException($"{context.DnsEndPoint.Host} is a link-local address, which is not connected to.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>RFC 3927, RFC 4291 §2.5.6.</summary>
    static bool IsLinkLocal(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? address.IsIPv6LinkLocal : address.GetAddressBytes() is [169, 254, ..];
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The keys that sign tokens could not be fetched from {Address}: {Problem}. Keys fetched before stay in force; it is tried again when a client needs one.")]
        public static partial void NotFetched(ILogger logger, Uri address, string problem);
    }
}
