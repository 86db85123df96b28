using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using IotGateway.Broker.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Security.Tls;

/// <summary>
/// TLS of one listener: the server's side of handshakes, and its certificate, which is read again when its files change; files that
/// cannot be used leave the old ones in force. A client that sends nothing costs no more than its socket. Thread-safe.
/// </summary>
internal sealed partial class TlsEndpoint : IDisposable
{
    const string ClientAuthentication = "1.3.6.1.5.5.7.3.2"; // RFC 5280 §4.2.1.12
    const byte HandshakeRecord = 0x16; // RFC 8446 §5.1
    static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10), Soon = TimeSpan.FromDays(30), Reminder = TimeSpan.FromDays(1);
    readonly string _listener;
    readonly ListenerTls _options;
    readonly PrincipalRules _rules;
    readonly ILogger _logger;
    readonly TimeProvider _time;
    readonly ITimer _timer;
    readonly Lock _lock = new();
    volatile TlsFiles _files;
    string? _problem;
    DateTimeOffset _reminded;

    /// <exception cref="TlsFilesException">The files cannot be used.</exception>
    public TlsEndpoint(string listener, ListenerTls options, ILogger logger, TimeProvider time)
    {
        (_listener, _options, _logger, _time, _rules) = (listener, options, logger, time, Rules(listener, options));
        if (options.ClientCertificates != ClientCertificates.None && options.ClientAuthorities is null)
            throw new TlsFilesException(listener, "clients are to bring certificates, but nothing says who may have signed them: set 'clientAuthorities'.");
        _files = TlsFiles.Load(listener, options, TlsFiles.Digest(listener, options));
        Remind();
        _timer = time.CreateTimer(_ => Look(), null, options.Recheck, options.Recheck);
    }

    /// <summary>Time until the certificate ends; negative afterwards.</summary>
    public TimeSpan Remaining => _files.Expires - _time.GetUtcNow();

    /// <summary>Puts TLS on the connection, whose transport is from then on the plain text.</summary>
    /// <exception cref="ProtocolException">The client does not speak TLS, or not as it must; for the log.</exception>
    public async ValueTask<TlsSession> AcceptAsync(ConnectionContext connection, CancellationToken ct)
    {
        var plain = connection.Transport;
        var first = await plain.Input.ReadAsync(ct); // no buffers and no timer before the first byte
        if (first.Buffer.IsEmpty) throw new ProtocolException("It left without a word.");
        var starts = first.Buffer.FirstSpan[0];
        plain.Input.AdvanceTo(first.Buffer.Start);
        if (starts != HandshakeRecord) throw new ProtocolException("It does not speak TLS, which this listener wants. Set the client's security.protocol to SSL or SASL_SSL.");
        var stream = new SslStream(new DuplexStream(plain.Input.AsStream(leaveOpen: true), plain.Output.AsStream(leaveOpen: true)), leaveInnerStreamOpen: false);
        try
        {
            var principal = await HandshakeAsync(stream, ct);
            connection.Transport = new DuplexPipe(
                PipeReader.Create(stream, new(bufferSize: 16 * 1024, leaveOpen: true, useZeroByteReads: true)),
                PipeWriter.Create(stream, new(leaveOpen: true)));
            return new(connection, plain, stream, _time, principal);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public void Dispose() => _timer.Dispose();

    async ValueTask<Principal?> HandshakeAsync(SslStream stream, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(HandshakeTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        string? refused = null;
        try
        {
            await stream.AuthenticateAsServerAsync(Options(why => refused = why), either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw new ProtocolException($"Its TLS handshake took longer than {HandshakeTimeout.TotalSeconds} s.");
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException)
        {
            throw new ProtocolException($"The TLS handshake failed: {refused ?? failure.InnerException?.Message ?? failure.Message}");
        }
        if (stream.RemoteCertificate is not X509Certificate2 certificate) return null;
        var subject = DistinguishedName.Format(certificate.SubjectName.RawData);
        return new("User", _rules.Apply(subject) ?? throw new ProtocolException($"No rule for principals fits its certificate's subject {subject}."));
    }

    SslServerAuthenticationOptions Options(Action<string> refused)
    {
        var (files, asks) = (_files, _options.ClientCertificates != ClientCertificates.None);
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = files.Server,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = asks,
            // A resumed session is not asked for its certificate again, which may have been withdrawn with its authority since.
            AllowTlsResume = !asks,
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (!asks) return options;
        options.CertificateChainPolicy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true, // a certificate must not make the broker fetch addresses it names
        };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(files.ClientAuthorities);
        options.CertificateChainPolicy.ApplicationPolicy.Add(new(ClientAuthentication));
        options.RemoteCertificateValidationCallback = (_, certificate, chain, problems) =>
        {
            if (problems == SslPolicyErrors.None) return true;
            if (certificate is null)
            {
                if (_options.ClientCertificates == ClientCertificates.Want) return true;
                refused("the client brought no certificate.");
                return false;
            }
            var subject = DistinguishedName.Format(certificate is X509Certificate2 full ? full.SubjectName.RawData : new X500DistinguishedName(certificate.Subject).RawData);
            refused($"the client's certificate {subject} is not accepted: {string.Join(", ", chain?.ChainStatus.Select(s => s.Status.ToString()).Distinct() ?? [problems.ToString()])}.");
            return false;
        };
        return options;
    }

    static PrincipalRules Rules(string listener, ListenerTls options)
    {
        try
        {
            return new(options.PrincipalRules);
        }
        catch (ArgumentException problem)
        {
            throw new TlsFilesException(listener, problem.Message, problem);
        }
    }

    /// <summary>Reads changed files; on a timer, never twice at once.</summary>
    void Look()
    {
        lock (_lock)
        {
            try
            {
                var digest = TlsFiles.Digest(_listener, _options);
                if (!_files.IsOf(digest))
                {
                    _files = TlsFiles.Load(_listener, _options, digest);
                    _reminded = default;
                    Log.Renewed(_logger, _listener, _files.Expires);
                }
                _problem = null;
            }
            catch (TlsFilesException problem)
            {
                // Certificate and key are two files and not replaced in one step: only what lasts is worth a line.
                if (_problem == problem.Message) Log.NotRenewed(_logger, problem.Message);
                _problem = _problem == problem.Message || _problem == "" ? "" : problem.Message;
            }
            Remind();
        }
    }

    void Remind()
    {
        var now = _time.GetUtcNow();
        if (_files.Expires - now > Soon || now - _reminded < Reminder) return;
        _reminded = now;
        if (_files.Expires <= now) Log.Expired(_logger, _listener, _files.Expires);
        else Log.ExpiresSoon(_logger, _listener, _files.Expires);
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Listener {Listener} has a new certificate, good until {Expires:u}.")]
        public static partial void Renewed(ILogger logger, string listener, DateTimeOffset expires);

        [LoggerMessage(LogLevel.Warning, "{Problem} The certificate read before stays in use.")]
        public static partial void NotRenewed(ILogger logger, string problem);

        [LoggerMessage(LogLevel.Warning, "The certificate of listener {Listener} ends {Expires:u}. Replace its files before; they are read again by themselves.")]
        public static partial void ExpiresSoon(ILogger logger, string listener, DateTimeOffset expires);

        [LoggerMessage(LogLevel.Error, "The certificate of listener {Listener} has ended {Expires:u}: clients no longer accept it. Replace its files; they are read again by themselves.")]
        public static partial void Expired(ILogger logger, string listener, DateTimeOffset expires);
    }
}
