using Google.Protobuf;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Data;
using IotGateway.Tests.Sparkplug.Support;

namespace IotGateway.Tests.Sparkplug.Wire;

/// <summary>Values in all types, both ways.</summary>
public sealed class ValueTests
{
    public static TheoryData<string, object> Written() => new()
    {
        { "Int8", (sbyte)-10 }, { "Int16", (short)-30_000 }, { "Int32", -2_000_000_000 }, { "Int64", long.MinValue }, { "UInt8", (byte)250 }, { "UInt16", (ushort)65_000 },
        { "UInt32", uint.MaxValue }, { "UInt64", ulong.MaxValue }, { "Float", 1.5f }, { "Double", double.MaxValue }, { "Boolean", true }, { "String", "täxt" }, { "Text", "t" },
        { "Uuid", "5e0f37f8-5d84-44a5-8d36-8a4d8e1f1bd8" }, { "DateTime", new DateTime(1960, 1, 2, 3, 4, 5, DateTimeKind.Utc) },
    };

    [Theory, MemberData(nameof(Written))]
    public void What_is_written_is_read_again(string name, object value)
    {
        var (type, expected) = (Enum.Parse<MetricType>(name), ValueOf(value));
        var metric = new Metric();
        MetricWriter.Write(metric, type, expected);
        var parsed = PayloadReader.Read(new Payload { Metrics = { metric } }.ToByteArray()).Metrics[0];
        Assert.Equal(expected, Read(parsed, MetricTypes.Of(parsed)));
        Assert.Equal(type.ToDataType(), expected.Type);
    }

    [Theory]
    [InlineData("Int8", 0xFFFFFFF6, -10)] // extended to the field's width
    [InlineData("Int8", 0xF6, -10)] // its own bits only
    [InlineData("Int16", 0x8AD0, -30_000)]
    [InlineData("Int32", 0xFFFFFFFF, -1)]
    [InlineData("UInt8", 255, 255)]
    [InlineData("UInt32", 0xFFFFFFFF, 4_294_967_295)]
    public void Integers_are_twos_complement(string type, uint bits, long expected)
        => Assert.Equal(expected, Read(new Metric { IntValue = bits }, Enum.Parse<MetricType>(type)).AsInt64);

    [Theory]
    [InlineData("Int8", 300)]
    [InlineData("Int16", 70_000)]
    [InlineData("UInt8", 256)]
    [InlineData("UInt16", 65_536)]
    public void A_number_too_large_for_its_type_is_refused(string type, uint bits)
        => Assert.Throws<PayloadException>(() => Read(new Metric { IntValue = bits }, Enum.Parse<MetricType>(type)));

    [Fact]
    public void A_value_of_another_type_is_refused()
    {
        Assert.Throws<PayloadException>(() => Read(new Metric { StringValue = "1" }, MetricType.Int32));
        Assert.Throws<PayloadException>(() => Read(new Metric { BytesValue = ByteString.Empty }, MetricType.String));
        Assert.Throws<PayloadException>(() => Read(new Metric { BytesValue = ByteString.CopyFrom(1, 2, 3) }, MetricType.Int16Array));
        Assert.Throws<PayloadException>(() => Read(new Metric { LongValue = 253_402_300_800_000 }, MetricType.DateTime));
        Assert.Throws<PayloadException>(() => Read(new Metric { BooleanValue = true }, MetricType.Double));
    }

    [Theory]
    [InlineData("Int8Array", "EF7B", "-17,123")]
    [InlineData("Int16Array", "D08AD030", "-30000,12496")]
    [InlineData("UInt16Array", "D08A", "35536")]
    [InlineData("Int32Array", "FFFFFFFF", "-1")]
    [InlineData("UInt64Array", "FFFFFFFFFFFFFFFF", "18446744073709551615")]
    [InlineData("FloatArray", "0000C03F", "1.5")]
    [InlineData("DoubleArray", "000000000000F83F", "1.5")]
    [InlineData("BooleanArray", "0C00000034D0", "false,false,true,true,false,true,false,false,true,true,false,true")]
    [InlineData("StringArray", "414243006869006800", "ABC,hi,h")]
    [InlineData("DateTimeArray", "C7D0FFFF00000000", "1970-02-19T17:02:47.1100000Z")]
    [InlineData("Int32Array", "", "")]
    public void Arrays_are_packed_little_endian(string name, string hex, string expected)
    {
        var value = Read(new Metric { BytesValue = ByteString.CopyFrom(Convert.FromHexString(hex)) }, Enum.Parse<MetricType>(name));
        if (name != "DateTimeArray") Assert.Equal(expected, string.Join(",", value.AsArray.ToArray()));
        else Assert.Equal(DateTime.UnixEpoch.AddMilliseconds(0xFFFFD0C7), value.AsArray.Span[0].AsTime);
    }

    [Fact]
    public void A_count_of_booleans_that_are_not_there_makes_nothing()
    {
        var room = PackedArray.MostElements;
        Assert.Throws<PayloadException>(() => PackedArray.Read(MetricType.BooleanArray, [0xFF, 0xFF, 0xFF, 0x7F, 0], ref room));
        Assert.Throws<PayloadException>(() => PackedArray.Read(MetricType.BooleanArray, new byte[] { 0x00, 0x00, 0x10, 0x00 }.Concat(new byte[200_000]).ToArray(), ref room));
    }

    [Fact]
    public void A_data_set_is_a_table()
    {
        var set = new DataSet { NumOfColumns = 2, Columns = { "name", "n" }, Types_ = { (uint)MetricType.String, (uint)MetricType.Int8 } };
        set.Rows.Add(new DataSet.Types.Row { Elements = { new DataSet.Types.DataSetValue { StringValue = "a" }, new DataSet.Types.DataSetValue { IntValue = 0xFF } } });
        Assert.Equal("{columns: [name, n], types: [String, Int8], rows: [[a, -1]]}", Read(new Metric { DatasetValue = set }, MetricType.DataSet).ToString());
        set.Rows[0].Elements.RemoveAt(1);
        Assert.Throws<PayloadException>(() => Read(new Metric { DatasetValue = set }, MetricType.DataSet));
    }

    [Fact]
    public void A_template_is_a_structure()
    {
        var template = new Template { TemplateRef = "motor", Version = "1.0" };
        template.Parameters.Add(new Template.Types.Parameter { Name = "maker", Type = (uint)MetricType.String, StringValue = "acme" });
        template.Metrics.Add(Metrics.Int("rpm", -3));
        template.Metrics.Add(new Metric { Name = "off", IsNull = true, Datatype = (uint)MetricType.Int8 });
        Assert.Equal("{template: motor, version: 1.0, parameters: {maker: acme}, metrics: {rpm: -3, off: }}", Read(new Metric { TemplateValue = template }, MetricType.Template).ToString());
    }

    [Theory]
    [InlineData("Int8", 128.0)]
    [InlineData("UInt8", -1.0)]
    [InlineData("Int32", 1.5)]
    [InlineData("UInt64", 1e20)]
    [InlineData("Int64", double.NaN)]
    [InlineData("Boolean", 1.0)]
    [InlineData("String", 1.0)]
    [InlineData("DataSet", 1.0)]
    [InlineData("Float", 1e39)]
    public void A_value_that_does_not_fit_is_not_written(string type, double value)
        => Assert.Throws<PayloadException>(() => MetricWriter.Write(new Metric(), Enum.Parse<MetricType>(type), Value.Of(value)));

    static Value Read(Metric metric, MetricType type)
    {
        var room = PackedArray.MostElements;
        return MetricValue.Read(metric, type, ref room);
    }

    static Value ValueOf(object value) => value switch
    {
        sbyte v => Value.Of(v),
        short v => Value.Of(v),
        int v => Value.Of(v),
        long v => Value.Of(v),
        byte v => Value.Of(v),
        ushort v => Value.Of(v),
        uint v => Value.Of(v),
        ulong v => Value.Of(v),
        float v => Value.Of(v),
        double v => Value.Of(v),
        bool v => Value.Of(v),
        string v => Value.Of(v),
        _ => Value.Of((DateTime)value),
    };
}
