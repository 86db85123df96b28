using IotGateway.Connectors.Modbus.Protocol;

namespace Modbus.Tests.Protocol;

/// <summary>Golden bytes: the worked examples of the application protocol, chapter 6, and of the messaging guide.</summary>
public sealed class CodecTests
{
    static string Pdu(Request request)
    {
        var frame = new byte[Limits.Frame];
        var length = request.WriteTo(frame, 0x1501);
        return Convert.ToHexString(frame.AsSpan(Limits.Header, length - Limits.Header));
    }

    [Fact]
    public void Requests_are_those_of_the_specification()
    {
        Assert.Equal("0100130013", Pdu(Request.Read(1, Area.Coil, 0x13, 19)));                                  // AP §6.1
        Assert.Equal("0200C40016", Pdu(Request.Read(1, Area.Discrete, 0xC4, 22)));                              // AP §6.2
        Assert.Equal("03006B0003", Pdu(Request.Read(1, Area.Holding, 0x6B, 3)));                                // AP §6.3
        Assert.Equal("0400080001", Pdu(Request.Read(1, Area.Input, 8, 1)));                                     // AP §6.4
        Assert.Equal("0500ACFF00", Pdu(Request.WriteCoil(1, 0xAC, true)));                                      // AP §6.5
        Assert.Equal("0600010003", Pdu(Request.WriteRegister(1, 1, new byte[] { 0, 3 })));                      // AP §6.6
        Assert.Equal("0F0013000A02CD01", Pdu(Request.WriteCoils(1, 0x13, 10, new byte[] { 0xCD, 1 })));         // AP §6.11
        Assert.Equal("100001000204000A0102", Pdu(Request.WriteRegisters(1, 1, new byte[] { 0, 10, 1, 2 })));    // AP §6.12
        Assert.Equal("16000400F20025", Pdu(Request.MaskWrite(1, 4, 0xF2, 0x25)));                               // AP §6.16
    }

    [Fact]
    public void The_header_is_that_of_the_messaging_guide()
    {
        var frame = new byte[Limits.Frame];
        var length = Request.Read(0xFF, Area.Holding, 5, 1).WriteTo(frame, 0x1501);
        Assert.Equal("150100000006FF0300050001", Convert.ToHexString(frame.AsSpan(0, length)));                 // TCP §3.1.3, example
    }

    [Theory]
    [InlineData(Area.Coil, 0x13, 19, "0103CD6B05", "CD6B05")]
    [InlineData(Area.Discrete, 0xC4, 22, "0203ACDB35", "ACDB35")]
    [InlineData(Area.Holding, 0x6B, 3, "0306022B00000064", "022B00000064")]
    [InlineData(Area.Input, 8, 1, "0402000A", "000A")]
    internal void Read_replies_are_those_of_the_specification(Area area, int address, int quantity, string pdu, string data)
    {
        Assert.Equal(ReplyKind.Data, Reply.Judge(Request.Read(7, area, address, quantity), 7, Convert.FromHexString(pdu), out var got, out _));
        Assert.Equal(data, Convert.ToHexString(got));
    }

    [Fact]
    public void Write_replies_are_those_of_the_specification()
    {
        Assert.Equal(ReplyKind.Data, Judge(Request.WriteCoil(1, 0xAC, true), "0500ACFF00"));
        Assert.Equal(ReplyKind.Data, Judge(Request.WriteRegister(1, 1, new byte[] { 0, 3 }), "0600010003"));
        Assert.Equal(ReplyKind.Data, Judge(Request.WriteCoils(1, 0x13, 10, new byte[] { 0xCD, 1 }), "0F0013000A"));
        Assert.Equal(ReplyKind.Data, Judge(Request.WriteRegisters(1, 1, new byte[] { 0, 10, 1, 2 }), "1000010002"));
        Assert.Equal(ReplyKind.Data, Judge(Request.MaskWrite(1, 4, 0xF2, 0x25), "16000400F20025"));
    }

    [Fact]
    public void Every_exception_code_is_recognised()
    {
        for (var code = 1; code <= 11; code++)
        {
            Assert.Equal(ReplyKind.Exception, Reply.Judge(Request.Read(1, Area.Holding, 0, 1), 1, [0x83, (byte)code], out _, out var got));
            Assert.Equal(code, (int)got);
            Assert.Equal("modbus:exception-" + code, got.Status());
        }
    }

    [Theory]
    [InlineData("0304000A0102")]        // two registers where one was asked for
    [InlineData("0302000A01")]          // a byte too many
    [InlineData("030200")]              // a byte too few
    [InlineData("0304000A")]            // a byte count that lies
    [InlineData("0402000A")]            // another function
    [InlineData("8402")]                // an exception of another function
    [InlineData("83")]                  // an exception without a code
    [InlineData("8300")]                // an exception that is none
    [InlineData("830201")]              // an exception with a tail
    public void A_reply_that_does_not_fit_is_a_mismatch(string pdu)
        => Assert.Equal(ReplyKind.Mismatch, Judge(Request.Read(1, Area.Holding, 0, 1), pdu));

    [Fact]
    public void A_reply_of_another_unit_is_a_mismatch()
        => Assert.Equal(ReplyKind.Mismatch, Reply.Judge(Request.Read(1, Area.Holding, 0, 1), 2, [3, 2, 0, 10], out _, out _));

    [Theory]
    [InlineData("0600010004")]          // another value
    [InlineData("0600020003")]          // another address
    [InlineData("06000100")]            // cut
    public void An_echo_that_differs_is_a_mismatch(string pdu)
        => Assert.Equal(ReplyKind.Mismatch, Judge(Request.WriteRegister(1, 1, new byte[] { 0, 3 }), pdu));

    [Fact]
    public void Frames_are_found_however_the_stream_is_cut()
    {
        var one = Convert.FromHexString("00010000000511030200" + "0A");
        var two = Convert.FromHexString("0002000000031183" + "02");
        byte[] stream = [.. one, .. two];
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            var found = new List<int>();
            var consumed = 0;
            foreach (var end in new[] { cut, stream.Length })
            {
                while (Framing.TryRead(stream.AsSpan(consumed..end), out var frame, out _) == FrameResult.Frame)
                {
                    found.Add(frame.Transaction);
                    consumed += frame.Length;
                }
            }
            Assert.Equal([1, 2], found);
            Assert.Equal(stream.Length, consumed);
        }
    }

    [Theory]
    [InlineData("00010001")]            // protocol id 1
    [InlineData("000100000001")]        // no room for a function code
    [InlineData("0001000000FF")]        // more than any frame
    [InlineData("00010000FFFF")]
    [InlineData("485454502F31")]        // HTTP/1
    public void Garbage_is_told_from_a_frame_at_once(string bytes)
        => Assert.Equal(FrameResult.Garbage, Framing.TryRead(Convert.FromHexString(bytes), out _, out _));

    [Fact]
    public void Random_bytes_never_throw()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var buffer = new byte[300];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(buffer);
            if (i % 2 == 0) (buffer[2], buffer[3], buffer[4]) = (0, 0, 0);
            var received = buffer.AsMemory(0, random.Next(buffer.Length));
            try
            {
                if (Framing.TryRead(received.Span, out var frame, out var pdu) != FrameResult.Frame) continue;
                Reply.Judge(Request.Read(frame.Unit, (Area)random.Next(4), 0, random.Next(1, 126)), frame.Unit, pdu, out _, out _);
                ServerCodec.TryRead(frame.Unit, pdu.ToArray(), out _);
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}, bytes {Convert.ToHexString(received.Span)}: {e}");
            }
        }
    }

    [Fact]
    public void A_server_reads_what_a_client_writes()
    {
        Request[] requests =
        [
            Request.Read(3, Area.Coil, 1, 2000), Request.Read(3, Area.Holding, 65535, 1), Request.WriteCoil(3, 9, true),
            Request.WriteCoils(3, 5, 9, new byte[] { 1, 1 }), Request.WriteRegister(3, 7, new byte[] { 1, 2 }),
            Request.WriteRegisters(3, 7, new byte[246]), Request.MaskWrite(3, 4, 1, 2),
        ];
        var frame = new byte[Limits.Frame];
        foreach (var request in requests)
        {
            var length = request.WriteTo(frame, 77);
            Assert.Equal(FrameResult.Frame, Framing.TryRead(frame.AsSpan(0, length), out var header, out var pdu));
            Assert.Equal((77, 3, length), (header.Transaction, header.Unit, header.Length));
            Assert.Equal(ExceptionCode.None, ServerCodec.TryRead(header.Unit, pdu.ToArray(), out var read));
            Assert.Equal((request.Function, request.Address, request.Quantity), (read.Function, read.Address, read.Quantity));
            Assert.Equal(request.Data.ToArray(), read.Data.ToArray());
        }
    }

    static ReplyKind Judge(Request request, string pdu) => Reply.Judge(request, 1, Convert.FromHexString(pdu), out _, out _);
}
