using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>
/// Applies DataAnnotations and <see cref="IValidatableObject"/>. The latter is always asked, also after other errors, so that nobody
/// has to correct a file in two rounds; what it throws over a half-read record is then not held against it.
/// </summary>
internal sealed partial class RuleChecker(Report report)
{
    /// <summary>Checks one value as read. Ranges and patterns of lists count for each element.</summary>
    public void CheckValue(OptionInfo option, object value, ConfigNode node, string path, object owner)
    {
        if (option.Type.Kind is OptionKind.List && node.Items.Count > 0 && option.Type.Item!.Kind is not (OptionKind.Object or OptionKind.List or OptionKind.Dictionary))
        {
            // Elements that could not be read are missing from the value; then the places no longer match.
            var index = 0;
            if (((IEnumerable)value).Cast<object?>().Count() == node.Items.Count)
                foreach (var item in (IEnumerable)value)
                {
                    if (item is not null) CheckOne(option, item, node.Items[index], JsonPath.Item(path, index), owner, each: true);
                    index++;
                }
        }
        CheckOne(option, value, node, path, owner, each: false);
    }

    void CheckOne(OptionInfo option, object value, ConfigNode node, string path, object owner, bool each)
    {
        var scalar = each || option.Type.Item is null;
        if (scalar && option.Limit?.Check(value) is { } wrong)
            report.Error(node, path, wrong.TrimEnd('.') + (option.Secret ? "." : $", found {Written(node)}."));
        foreach (var rule in option.Rules)
        {
            if (rule is RegularExpressionAttribute ? !scalar : each) continue;
            CheckRule(rule, option, value, node, path, owner);
        }
    }

    // Apart from its caller, whose closure would else be made for values without rules too.
    void CheckRule(ValidationAttribute rule, OptionInfo option, object value, ConfigNode node, string path, object owner)
    {
        var context = new ValidationContext(owner) { MemberName = option.Property.Name, DisplayName = option.Name };
        Guarded(node, path, isWhole: true, () =>
        {
            if (rule.GetValidationResult(value, context) is { } result) report.Error(node, path, Message(rule, result, node, option));
        });
    }

    /// <summary>Checks rules across options.</summary>
    public void CheckObject(object made, ConfigNode node, IReadOnlyList<OptionInfo> options, string path, bool isWhole)
    {
        var type = made.GetType();
        if (made is not IValidatableObject && !type.IsDefined(typeof(ValidationAttribute), inherit: true)) return;
        var context = new ValidationContext(made);
        foreach (var rule in type.GetCustomAttributes<ValidationAttribute>())
            Guarded(node, path, isWhole, () => ReportResult(rule.GetValidationResult(made, context), node, options, path));
        if (made is not IValidatableObject able) return;
        Guarded(node, path, isWhole, () =>
        {
            foreach (var result in able.Validate(context)) ReportResult(result, node, options, path);
        });
    }

    void Guarded(ConfigNode node, string path, bool isWhole, Action check)
    {
        try
        {
            check();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            if (isWhole) report.Error(node, path, $"The check of this value failed: {e.Message}", "This is a mistake in the connector; tell its author.");
        }
    }

    void ReportResult(ValidationResult? result, ConfigNode node, IReadOnlyList<OptionInfo> options, string path)
    {
        if (result is null) return;
        var message = Sentence(result.ErrorMessage ?? "The value is not valid.");
        var members = result.MemberNames.ToList();
        if (members.Count == 0) report.Error(node, path, message);
        foreach (var member in members)
        {
            var (at, full) = Locate(member, node, options, path);
            report.Error(at, full, message);
        }
    }

    /// <summary>Finds <c>Listeners[0].Listen</c> among the nodes: the deepest one that was written, and the whole JSON path.</summary>
    static (ConfigNode At, string Path) Locate(string member, ConfigNode node, IReadOnlyList<OptionInfo> options, string path)
    {
        foreach (Match step in Step().Matches(member))
        {
            if (step.Groups["index"] is { Success: true, Value: var digits })
            {
                var index = int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
                path = JsonPath.Item(path, index);
                if (index < node.Items.Count) node = node.Items[index];
                continue;
            }
            var option = options.FirstOrDefault(o => o.Property.Name == step.Value) ?? options.FirstOrDefault(o => o.Name == step.Value);
            var name = step.Groups["key"] is { Success: true, Value: var key } ? key : option?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(step.Value);
            path = JsonPath.Member(path, name);
            node = node[name] ?? node;
            options = Inner(option?.Type) ?? options;
        }
        return (node, path);
    }

    static IReadOnlyList<OptionInfo>? Inner(OptionType? type) => type is null ? null : type.Schema?.Options ?? Inner(type.Item);

    static string Message(ValidationAttribute rule, ValidationResult result, ConfigNode node, OptionInfo option)
    {
        var found = option.Secret ? "" : $", found {Written(node)}";
        var custom = rule.ErrorMessage is not null || rule.ErrorMessageResourceName is not null;
        return rule switch
        {
            RegularExpressionAttribute { } pattern when !custom && pattern.GetType() == typeof(RegularExpressionAttribute) => $"Must match {pattern.Pattern}{found}.",
            RequiredAttribute when !custom => "Must not be empty.",
            MinLengthAttribute least when !custom => $"Needs at least {least.Length} {Unit(option)}.",
            MaxLengthAttribute most when !custom => $"May have at most {most.Length} {Unit(option)}.",
            StringLengthAttribute length when !custom => $"May have {length.MinimumLength} to {length.MaximumLength} characters.",
            _ => Sentence(result.ErrorMessage ?? "The value is not valid.").TrimEnd('.') + found + ".",
        };
    }

    static string Unit(OptionInfo option) => option.Type.Kind == OptionKind.String ? "characters" : "entries";

    static string Written(ConfigNode node) => node.Kind is NodeKind.Number or NodeKind.Bool ? node.Text : node.Found();

    static string Sentence(string text) => text.EndsWith('.') || text.EndsWith('?') ? text : text + ".";

    [GeneratedRegex(@"\[(?<index>[0-9]{1,6})\]|\['?(?<key>[^\]']+)'?\]|[^.\[\]]+")]
    private static partial Regex Step();
}
