using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Configs;

public sealed class TablesTests : IDisposable
{
    const string FromTable = """{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [ { "name": "first" }, { "tagsFrom": "meters.csv" }, { "name": "last" } ] }""";

    readonly ConfigBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Makes_devices_and_tags_of_rows()
    {
        _bench.Environment["UNIT"] = "kW";
        _bench.Write("meters.csv", """"
            device,unitId,device.enabled,tag,type,unit,scale,write.min,write.readBack.tag
            m1,1,false,energy,uint32,kWh,0.1,,

            m2,2,,"power, ""active""",float32,${env:UNIT},,-5,energy
            m1,,,power,float32,W,,,
            m2,,,energy,uint32,kWh,,,

            """");
        var config = _bench.Read<BenchConfig>(FromTable);
        Assert.Equal(["first", "m1", "m2", "last"], config.Devices.Select(d => d.Name));
        var (m1, m2) = (config.Devices[1], config.Devices[2]);
        Assert.Equal((1, false, 2, true), (m1.UnitId, m1.Enabled, m2.UnitId, m2.Enabled));
        Assert.Equal(["energy", "power"], m1.Tags.Select(t => t.Name));
        Assert.Equal((DataType.UInt32, "kWh", 0.1m, null), (m1.Tags[0].Type, m1.Tags[0].Unit, m1.Tags[0].Scale, m1.Tags[0].Write));
        Assert.Equal(("power, \"active\"", "kW", -5m, "energy"), (m2.Tags[0].Name, m2.Tags[0].Unit, m2.Tags[0].Write!.Min, m2.Tags[0].Write!.ReadBack!.Tag));
    }

    [Theory]
    [InlineData("device;tag;type\r\nm;\"a\r\nb\";bool\r\n", "a\r\nb")]
    [InlineData("device\ttag\ttype\nm\tx,y\tbool", "x,y")]
    [InlineData("\"device\",\"tag\",\"type\"\n\"m\", x ,bool", "x")]
    public void Reads_what_spreadsheets_write(string table, string tag)
    {
        _bench.Write("meters.csv", table);
        Assert.Equal(tag, _bench.Read<BenchConfig>(FromTable).Devices[1].Tags[0].Name);
    }

    [Theory]
    [InlineData("device,tag,typ\nm,t,bool", "meters.csv:1:12: Unknown column 'typ'. Did you mean 'type'?|meters.csv:2:1: devices[1].tags[0].type: 'type' is missing. Type of its values. Add \"type\": \"float32\".")]
    [InlineData("device,tag,type\nm,t,float23", "meters.csv:2:5: devices[1].tags[0].type: The text \"float23\" is not one of")]
    [InlineData("device,unitId,tag,type\nm,300,t,bool", "meters.csv:2:3: devices[1].unitId: Must be between 0 and 255, found the text \"300\".")]
    [InlineData("device;tag;type;scale\nm;t;bool;0,1", "meters.csv:2:10: devices[1].tags[0].scale: Expected a number such as 0.5, found the text \"0,1\". Write a point instead of the comma.")]
    [InlineData("device,unitId,tag,type\nm,one,t,bool", "meters.csv:2:3: devices[1].unitId: Expected a whole number such as 10, found the text \"one\".")]
    [InlineData("device,unitId,tag,type\nm,1,t,bool\nm,2,u,bool", "meters.csv:3:3: Device 'm' has another 'unitId' here than in line 2: '2' and '1'. Say it in one row, or the same in all.")]
    [InlineData("device,tag,type\n,t,bool", "meters.csv:2:1: The row names no device. Fill the column 'device'.")]
    [InlineData("tag,type\nt,bool", "meters.csv:1:1: The table has no column 'device'. Add one; it names the device of each row.")]
    [InlineData("device,tag,type\nm,t,bool,1", "meters.csv:2:10: The row has 4 cells, the table 3 columns. Put a cell that holds the separator into quotes.")]
    [InlineData("device,tag,type\nm,\"t,bool", "meters.csv:2:3: A quote is opened and never closed. Close it; a quote inside quotes is written twice.|meters.csv:2:1: devices[1].tags[0].type: 'type' is missing.")]
    [InlineData("", "meters.csv: The table is empty. Its first line names the columns: device, tag, …")]
    [InlineData("device,tag,type\nm,t,bool\nm,t,bool", "meters.csv:3:1: devices[1].tags[1]: Device 'm' has two tags 't'. Rename one of them.")]
    [InlineData("device,tag,type,write,write.min\nm,t,bool,x,1", "meters.csv:2:10: devices[1].tags[0].write: Expected an object, found the text \"x\". Write { … }.")]
    [InlineData("device,tags\nm,t", "meters.csv:1:8: Unknown column 'tags'. Did you mean 'tag'?")]
    [InlineData("device,tag,type,unit\nm,t,bool,${env:GONE}", "meters.csv:2:10: tags[0].unit: The environment variable 'GONE' is not set.")]
    public void Reports_the_tables_own_lines(string table, string expected)
    {
        _bench.Write("meters.csv", table);
        var problems = _bench.ProblemsOf(FromTable);
        Assert.All(expected.Split('|'), part => Assert.Contains(problems, p => p.StartsWith(part, StringComparison.Ordinal)));
        Assert.Equal(expected.Split('|').Length, problems.Count);
    }

    [Theory]
    [InlineData("\"../x.csv\"", "is outside the configuration folder.")]
    [InlineData("\"/etc/passwd\"", "is outside the configuration folder.")]
    [InlineData("\"gone.csv\"", "The table 'gone.csv' does not exist.")]
    [InlineData("5", "Expected a file name such as \"meters.csv\", found the number 5.")]
    [InlineData("\"gateway.json\", \"unitId\": 1", "Nothing may stand beside 'tagsFrom'. Make it a column of the table.")]
    public void Reports_a_table_that_cannot_be_used(string value, string expected)
        => Assert.Contains(_bench.ProblemsOf($$"""{ "connector": "bench", "endpoint": "tcp://h:1", "devices": [ { "tagsFrom": {{value}} } ] }"""), p => p.Contains(expected, StringComparison.Ordinal));
}
