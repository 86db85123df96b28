using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Protocol;
using IotGateway.Testing;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Well-formed requests with any content, against a live broker.</summary>
public sealed class RandomRequestTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_request_is_answered_or_refused_and_none_fails_inside()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var broker = await TestBroker.StartAsync(new() { MaxPartitionsPerTopic = 8 });
        await broker.CreateAsync("a", 3);
        await using var asking = await broker.ConnectAsync();
        var apis = await asking.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0);
        var answered = 0;
        foreach (var api in apis.ApiKeys)
        {
            var request = Codec.All.Single(c => c.ToString() == $"{(ApiKey)api.ApiKey}Request");
            var response = Codec.All.Single(c => c.ToString() == $"{(ApiKey)api.ApiKey}Response");
            foreach (var version in request.Versions.Where(v => v >= api.MinVersion && v <= api.MaxVersion))
            {
                for (var round = 0; round < 5; round++)
                {
                    var message = new RandomMessage(random, nulls: round > 0, small: true).Create(request.Message);
                    if (message is FetchRequest fetch) fetch.MaxWaitMs = 0;
                    if (MessageTests.TryWrite(request, message, version) is not { } body) continue;
                    await using var client = await broker.ConnectAsync();
                    await client.SendAsync(Frame(request, version, body));
                    if (message is ProduceRequest { Acks: 0 }) continue;
                    var frame = await client.ReceiveAsync();
                    if (frame is null) Assert.Fail($"{request} v{version} was not answered: {string.Join(' ', broker.Logger.Lines.TakeLast(1))}");
                    var header = response.IsFlexible(version) && request.Api != ApiKey.ApiVersions ? 5 : 4;
                    response.Read(frame.AsMemory(header), version, out var left);
                    Assert.Equal(0, left);
                    answered++;
                }
            }
        }
        Assert.InRange(answered, 300, int.MaxValue);
    }

    [Fact]
    public async Task Mutated_requests_end_their_connection_at_most_and_none_fails_inside()
    {
        var inputs = Math.Max(1, Fuzzer.Executions(100_000) / 200);
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {inputs} inputs");
        var (random, fuzzer) = (new Random(Fuzzer.Seed), new Fuzzer("connection", Fuzzer.Seed));
        await using var broker = await TestBroker.StartAsync(new() { MaxPartitionsPerTopic = 8, FrameTimeout = TimeSpan.FromSeconds(1) });
        await broker.CreateAsync("a", 3);
        await using var asking = await broker.ConnectAsync();
        var apis = (await asking.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0)).ApiKeys;
        var answered = 0;
        for (var i = 0L; i < inputs; i++)
        {
            var api = apis[random.Next(apis.Count)];
            var request = Codec.All.Single(c => c.ToString() == $"{(ApiKey)api.ApiKey}Request");
            var version = (short)random.Next(Math.Max(api.MinVersion, request.Versions.Min()), Math.Min(api.MaxVersion, request.Versions.Max()) + 1);
            var message = new RandomMessage(random, nulls: random.Next(2) == 0, small: true).Create(request.Message);
            if (message is FetchRequest fetch) fetch.MaxWaitMs = 0;
            if (MessageTests.TryWrite(request, message, version) is not { } body) continue;
            var frame = Frame(request, version, body);
            byte[] mutated = [.. frame.AsSpan(0, 4), .. fuzzer.Next([frame[4..]])];
            if (random.Next(8) > 0) System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(mutated, mutated.Length - 4);
            await using var client = await broker.ConnectAsync();
            await client.SendAsync(mutated);
            // Some wait for what never comes, as they were told: an answer is not owed at once.
            if (await Task.WhenAny(client.ReceiveAsync(), Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken)) is Task<byte[]?> { IsCompletedSuccessfully: true, Result: not null }) answered++;
            if (broker.Logger.Lines.FirstOrDefault(l => l.Level >= LogLevel.Error).Text is { } failed) Assert.Fail($"{request} v{version}, input {i}, {Convert.ToHexString(mutated)}: {failed}");
        }
        await using var after = await broker.ConnectAsync();
        await after.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0);
        Assert.InRange(answered, 1, inputs);
    }

    static byte[] Frame(Codec codec, short version, byte[] body)
    {
        using var writer = new KafkaWriter();
        writer.WriteInt32(0);
        new RequestHeader(codec.Api, version, 1, "random").Write(writer, codec.IsFlexible(version));
        byte[] frame = [.. writer.ToArray(), .. body];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        return frame;
    }
}
