using System.Buffers.Binary;
using System.Net;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Tests.Security;

/// <summary>
/// Frames of clients that are not known yet, mutated, against a live broker. FUZZ says how many inputs, of which this test has few: each is a connection;
/// seed printed (<see cref="Fuzzer"/>).
/// </summary>
public sealed class UnknownClientFuzzTests(ITestOutputHelper output)
{
    const int Asking = 4711; // number of the last request

    [Fact]
    public async Task Mutated_frames_before_authentication_let_nobody_in_and_fail_nothing_inside()
    {
        var inputs = Math.Max(1, Fuzzer.Executions(100_000) / 400);
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {inputs} inputs");
        var (random, fuzzer) = (new Random(Fuzzer.Seed), new Fuzzer("unknown", Fuzzer.Seed));
        await using var broker = await SaslBroker.StartAsync();
        var conversations = Conversations();
        int answered = 0, closed = 0;
        for (var i = 0L; i < inputs; i++)
        {
            var frames = conversations[random.Next(conversations.Count)];
            var bad = random.Next(frames.Length);
            var mutated = fuzzer.Next([frames[bad][4..]]);
            byte[] frame = [.. frames[bad].AsSpan(0, 4), .. mutated];
            if (random.Next(8) > 0) BinaryPrimitives.WriteInt32BigEndian(frame, mutated.Length);
            // What asks for the topics at the end is answered only to who got in: some mutations leave the password as it was.
            var asks = RawFrame(new MetadataRequest { Topics = null }, 9, Asking);
            byte[] sent = [.. frames.Take(bad).SelectMany(f => f), .. frame, .. frames.Skip(bad + 1).SelectMany(f => f), .. asks];
            // From an address of its own: failures of one host are soon refused unseen.
            await using var client = await RawClient.ConnectFromAsync(new IPAddress([127, 7, (byte)(i >> 8), (byte)i]), broker.Inner.Server.Endpoints[0]);
            await client.SendAsync(sent);
            client.EndSending();
            var answers = 0;
            while (await client.ReceiveAsync() is { } answer)
            {
                answers++;
                var gotIn = answer.Length >= 4 && BinaryPrimitives.ReadInt32BigEndian(answer) == Asking;
                Assert.True(!gotIn || sent.AsSpan().IndexOf("mes\0secret"u8) >= 0, $"Input {i} got in with {Convert.ToHexString(sent)}.");
            }
            _ = answers > 0 ? answered++ : closed++;
            if (broker.Inner.Logger.Lines.FirstOrDefault(l => l.Level >= LogLevel.Error).Text is { } failed) Assert.Fail($"Input {i}, {Convert.ToHexString(frame)}: {failed}");
        }
        output.WriteLine($"{answered} answered, {closed} closed without a word");
        Assert.True(answered > 0 && closed > 0);
        await using var after = await broker.Inner.ConnectAsync();
        Assert.Equal(0, (await SaslBroker.LogInAsync(after)).ErrorCode);
    }

    /// <summary>Frames of clients that do it right, one by one, by every way in.</summary>
    static List<byte[][]> Conversations()
    {
        var plain = "\0mes\0secret"u8.ToArray();
        var scram = "n,,n=mes,r=clientnonce"u8.ToArray();
        var versions = RawFrame(new ApiVersionsRequest { ClientSoftwareName = "t", ClientSoftwareVersion = "1" }, 3);
        List<byte[][]> all = [];
        for (short version = 0; version <= 2; version++)
        {
            all.Add([versions, RawFrame(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1), RawFrame(new SaslAuthenticateRequest { AuthBytes = plain }, version)]);
            all.Add([RawFrame(new SaslHandshakeRequest { Mechanism = "SCRAM-SHA-256" }, 1), RawFrame(new SaslAuthenticateRequest { AuthBytes = scram }, version), RawFrame(new SaslAuthenticateRequest { AuthBytes = "c=biws,r=x,p=AAAA"u8.ToArray() }, version)]);
        }
        all.Add([RawFrame(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 0), RawClient.Bare(plain)]);
        all.Add([RawFrame(new SaslHandshakeRequest { Mechanism = "SCRAM-SHA-512" }, 0), RawClient.Bare(scram), RawClient.Bare("c=biws,r=x,p=AAAA"u8)]);
        return all;
    }

    static byte[] RawFrame<TRequest>(TRequest request, short version, int correlation = 1) where TRequest : IKafkaMessage<TRequest>
    {
        using var writer = new KafkaWriter();
        writer.WriteInt32(0);
        new RequestHeader(TRequest.Api, version, correlation, "raw").Write(writer, version >= TRequest.FlexibleFrom);
        request.Write(writer, version);
        writer.PatchInt32(0, (int)writer.Length - 4);
        return writer.ToArray();
    }
}
