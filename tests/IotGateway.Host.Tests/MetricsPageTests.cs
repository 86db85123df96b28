using System.Diagnostics.Metrics;
using IotGateway.Host.Rest.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace IotGateway.Host.Tests;

public sealed class MetricsPageTests : IDisposable
{
    readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<MetricsPage>().BuildServiceProvider();
    readonly MetricsPage _page;
    readonly Meter _meter;

    public MetricsPageTests()
    {
        _page = _services.GetRequiredService<MetricsPage>();
        _meter = _services.GetRequiredService<IMeterFactory>().Create("IotGateway.Test");
    }

    public void Dispose() => _services.Dispose();

    string[] Lines(string prefix) => [.. _page.Render().Split('\n').Where(l => l.StartsWith(prefix, StringComparison.Ordinal))];

    [Fact]
    public void Counters_add_up_by_label_and_end_in_total()
    {
        var records = _meter.CreateCounter<long>("records", "{record}", "Records.");
        records.Add(2, new KeyValuePair<string, object?>("connector", "a"));
        records.Add(3, new KeyValuePair<string, object?>("connector", "a"));
        records.Add(1, new KeyValuePair<string, object?>("connector", "b"));
        Assert.Equal(["iotgateway_test_records_total{connector=\"a\"} 5", "iotgateway_test_records_total{connector=\"b\"} 1"], Lines("iotgateway_test_records_total"));
        Assert.Contains("# TYPE iotgateway_test_records_total counter", _page.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Meters_of_plugins_are_shown_and_others_are_not()
    {
        using var plugin = new Meter("IotGateway.Connectors.Fake");
        using var other = new Meter("Someone.Else");
        plugin.CreateCounter<long>("seen").Add(1);
        other.CreateCounter<long>("seen").Add(1);
        Assert.Equal(["iotgateway_connectors_fake_seen_total 1"], Lines("iotgateway_connectors_fake_seen_total"));
        Assert.Empty(Lines("someone"));
    }

    [Fact]
    public void Histograms_are_cumulative_and_name_their_unit()
    {
        var duration = _meter.CreateHistogram<double>("took", "s");
        foreach (var value in (double[])[0.001, 0.02, 100]) duration.Record(value);
        var lines = Lines("iotgateway_test_took_seconds");
        Assert.Contains("iotgateway_test_took_seconds_bucket{le=\"0.001\"} 1", lines);
        Assert.Contains("iotgateway_test_took_seconds_bucket{le=\"0.025\"} 2", lines);
        Assert.Contains("iotgateway_test_took_seconds_bucket{le=\"+Inf\"} 3", lines);
        Assert.Contains("iotgateway_test_took_seconds_count 3", lines);
        Assert.Contains("iotgateway_test_took_seconds_sum 100.021", lines);
    }

    [Fact]
    public void What_is_observed_shows_only_what_is_there_now()
    {
        var there = new List<string> { "a", "b" };
        _meter.CreateObservableGauge("state", () => there.Select(n => new Measurement<long>(1, new KeyValuePair<string, object?>("connector", n))));
        Assert.Equal(2, Lines("iotgateway_test_state{").Length);
        there.Remove("a");
        Assert.Equal(["iotgateway_test_state{connector=\"b\"} 1"], Lines("iotgateway_test_state{"));
    }

    [Fact]
    public void Labels_from_data_are_escaped_and_bounded()
    {
        var counter = _meter.CreateCounter<long>("flood");
        counter.Add(1, new KeyValuePair<string, object?>("name", "a\"b\\c\nd"));
        Assert.Equal(["iotgateway_test_flood_total{name=\"a\\\"b\\\\c\\nd\"} 1"], Lines("iotgateway_test_flood_total"));
        for (var i = 0; i < Family.MaxSeries + 9; i++) counter.Add(1, new KeyValuePair<string, object?>("name", i));
        Assert.Equal(Family.MaxSeries + 1, Lines("iotgateway_test_flood_total").Length);
        Assert.Equal(["iotgateway_test_flood_total{overflow=\"true\"} 10"], Lines("iotgateway_test_flood_total{overflow"));
    }

    [Fact]
    public void Other_gateways_in_the_process_are_not_shown()
    {
        using var other = new ServiceCollection().AddMetrics().BuildServiceProvider();
        other.GetRequiredService<IMeterFactory>().Create("IotGateway.Test").CreateCounter<long>("foreign").Add(1);
        Assert.Empty(Lines("iotgateway_test_foreign"));
        Assert.NotEmpty(Lines("process_resident_memory_bytes "));
    }
}
