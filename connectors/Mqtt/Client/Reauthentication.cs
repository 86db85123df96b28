using System.Security.Authentication;
using System.Threading.Channels;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Proves the password again on a running connection, at an interval (MQTT 5 §4.12.1): messages go on meanwhile. A broker that takes it no more,
/// does not answer in time or cannot prove itself ends the connection. One use.
/// </summary>
sealed class Reauthentication(MqttClientOptions options, MqttAddress address, PacketSender sender, TimeProvider time, CancellationToken ct)
{
    readonly Channel<AuthPacket> _answers = Channel.CreateBounded<AuthPacket>(1);
    volatile bool _open; // an exchange is under way

    /// <summary>An AUTH of the broker; false when nobody asked for it.</summary>
    public bool Take(AuthPacket packet) => _open && _answers.Writer.TryWrite(packet);

    /// <summary>Runs until cancelled; throws when the broker does not do its part.</summary>
    public async Task RunAsync()
    {
        using var timer = new PeriodicTimer(options.Reauthenticate, time);
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false)) await OnceAsync().ConfigureAwait(false);
    }

    async Task OnceAsync()
    {
        var scram = new ScramSha256(options.Username ?? "", options.Password ?? "");
        _open = true;
        await SendAsync(ReasonCode.ReAuthenticate, scram.First()).ConfigureAwait(false);
        var challenge = await AnswerAsync(ReasonCode.ContinueAuthentication).ConfigureAwait(false);
        try
        {
            await SendAsync(ReasonCode.ContinueAuthentication, scram.Final(challenge)).ConfigureAwait(false);
            scram.Verify(await AnswerAsync(ReasonCode.Success).ConfigureAwait(false));
        }
        catch (AuthenticationException e)
        {
            throw new IOException($"{address}: {e.Message}", e);
        }
        _open = false;
    }

    async Task SendAsync(ReasonCode reason, byte[] data)
    {
        var packet = new AuthPacket(reason) { Properties = MqttConnect.Authentication(new(), data).Build() };
        await sender.SendAsync(packet, static (w, p) => MqttEncoder.Encode(w, p, MqttVersion.V5), ping: false, ct).ConfigureAwait(false);
    }

    async Task<ReadOnlyMemory<byte>> ReadAsync(ReasonCode wanted)
    {
        var answer = await _answers.Reader.ReadAsync(ct).AsTask().WaitAsync(options.Timeout, time, ct).ConfigureAwait(false);
        if (answer.Reason != wanted || answer.Properties.Text(PropertyId.AuthenticationMethod) != ScramSha256.Method) throw new MqttProtocolException(ReasonCode.ProtocolError); // §4.12
        return answer.Properties.Data(PropertyId.AuthenticationData) ?? default;
    }

    async Task<byte[]> AnswerAsync(ReasonCode wanted)
    {
        try
        {
            return (await ReadAsync(wanted).ConfigureAwait(false)).ToArray();
        }
        catch (TimeoutException e)
        {
            throw new IOException($"{address} did not answer the repeated authentication within {options.Timeout.TotalSeconds:0.#} s.", e);
        }
    }
}
