using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs;

/// <summary>
/// Turns a table into device objects: one row per tag, rows of one <c>device</c> make one object. A column is an option of the tag
/// or else of the device (<c>device.enabled</c> and <c>tag.enabled</c> where both have one; <c>write.min</c> for nested ones);
/// <c>tag</c> is the tag's name. An empty cell says nothing. What a device's rows say of the device has to agree.
/// </summary>
internal sealed class TableReader(string file, ConfigSchema deviceSchema, Report report)
{
    readonly ConfigSchema _tagSchema = deviceSchema.Find("tags")!.Type.Item!.Schema!;

    sealed record Column(bool OfTag, string[] Path);

    public List<ConfigNode> Read(string text)
    {
        var rows = Csv.Read(file, text, report);
        if (rows.Count == 0)
        {
            report.Problems.Add(new(file, 0, 0, "", "The table is empty.", "Its first line names the columns: device, tag, …"));
            return [];
        }
        var columns = rows[0].Select(Understand).ToList();
        if (!columns.Exists(c => c is { OfTag: false, Path: ["name"] }))
        {
            report.Problems.Add(new(file, rows[0][0].Line, 1, "", "The table has no column 'device'.", "Add one; it names the device of each row."));
            return [];
        }
        var devices = new Dictionary<string, ConfigNode>(StringComparer.Ordinal);
        var entries = new List<ConfigNode>();
        foreach (var row in rows.Skip(1)) AddRow(row, columns, devices, entries);
        return entries;
    }

    Column? Understand(CsvCell cell)
    {
        // Spreadsheets leave empty columns at the end.
        if (cell.Text.Length == 0) return null;
        var path = cell.Text.Trim().Split('.');
        var (ofDevice, rest) = path switch
        {
            ["device"] => (true, ["name"]),
            ["tag"] => (false, ["name"]),
            ["device", .. var inner] => (true, inner),
            ["tag", .. var inner] => (false, inner),
            _ => (_tagSchema.Find(path[0]) is null && deviceSchema.Find(path[0]) is not null, path),
        };
        var schema = ofDevice ? deviceSchema : _tagSchema;
        for (var i = 0; i < rest.Length; i++)
        {
            var option = schema?.Find(rest[i]);
            if (option is null || ofDevice && i == 0 && rest[i] == "tags")
            {
                report.Problems.Add(new(file, cell.Line, cell.Column, "", $"Unknown column '{cell.Text}'.",
                    Nearest.Suggest(cell.Text, ["device", "tag", .. deviceSchema.Names.Where(n => n is not ("name" or "tags")), .. _tagSchema.Names.Where(n => n != "name")])));
                return null;
            }
            schema = option.Type.Schema;
        }
        return new(!ofDevice, rest);
    }

    void AddRow(IReadOnlyList<CsvCell> row, List<Column?> columns, Dictionary<string, ConfigNode> devices, List<ConfigNode> entries)
    {
        if (row.Count > columns.Count)
            report.Problems.Add(new(file, row[columns.Count].Line, row[columns.Count].Column, "", $"The row has {row.Count} cells, the table {columns.Count} columns.", "Put a cell that holds the separator into quotes."));
        var name = row.Zip(columns).FirstOrDefault(c => c.Second is { OfTag: false, Path: ["name"] }).First;
        if (string.IsNullOrEmpty(name?.Text))
        {
            report.Problems.Add(new(file, row[0].Line, row[0].Column, "", "The row names no device.", "Fill the column 'device'."));
            return;
        }
        if (!devices.TryGetValue(name.Text, out var device))
        {
            device = devices[name.Text] = new(file, name.Line, name.Column, NodeKind.Object);
            entries.Add(device);
            device.Members.Add(new("tags", name.Line, name.Column, new(file, name.Line, name.Column, NodeKind.List)));
        }
        var tag = new ConfigNode(file, row[0].Line, row[0].Column, NodeKind.Object);
        foreach (var (cell, column) in row.Zip(columns))
            if (column is not null && cell.Text.Length > 0) Put(column.OfTag ? tag : device, column.Path, cell, name.Text);
        if (tag.Members.Count > 0) device["tags"]!.Items.Add(tag);
    }

    void Put(ConfigNode target, string[] path, CsvCell cell, string device)
    {
        foreach (var step in path.AsSpan(0, path.Length - 1))
        {
            if (target[step] is not { } inner) target.Members.Add(new(step, cell.Line, cell.Column, inner = new(file, cell.Line, cell.Column, NodeKind.Object)));
            target = inner;
            // Columns 'write' and 'write.min' together: the cell of the first is no object, and the binder says so.
            if (target.Kind != NodeKind.Object) return;
        }
        if (target[path[^1]] is not { } before)
            target.Members.Add(new(path[^1], cell.Line, cell.Column, new(file, cell.Line, cell.Column, NodeKind.String, cell.Text) { IsLoose = true }));
        else if (before.Text != cell.Text)
            report.Problems.Add(new(file, cell.Line, cell.Column, "", $"Device '{device}' has another '{string.Join('.', path)}' here than in line {before.Line}: '{cell.Text}' and '{before.Text}'.", "Say it in one row, or the same in all."));
    }
}
