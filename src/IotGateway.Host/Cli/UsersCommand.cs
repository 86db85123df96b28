using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Spectre.Console;

namespace IotGateway.Host.Cli;

/// <summary><c>users</c>, <c>users add NAME</c>, <c>users remove NAME</c>: who can log in by SCRAM or PLAIN.</summary>
static class UsersCommand
{
    const int Iterations = 16_384; // the most Kafka takes
    const int SaltBytes = 24;
    static readonly ScramMechanism[] Mechanisms = [ScramMechanism.ScramSha256, ScramMechanism.ScramSha512];

    public static Command Make()
    {
        var (config, broker, client, json) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig(), CommonOptions.Json());
        var command = new Command("users", "Lists who can log in to the broker.") { config, broker, client, json };
        command.SetAction((r, _) => GatewayCli.GuardAsync(() => ListAsync(Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)), r.GetValue(json))));
        command.Add(MakeAdd());
        command.Add(MakeRemove());
        return command;
    }

    static Command MakeAdd()
    {
        var name = new Argument<string>("name") { Description = "Name the user logs in with." };
        var file = new Option<FileInfo?>("--password-file") { Description = "File with the password. Without it, the password is the first line of standard input, or asked for." };
        var (config, broker, client) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig());
        var command = new Command("add", "Makes a user, or gives one a new password. Only hashes of it leave this command.") { name, file, config, broker, client };
        command.SetAction((r, ct) => GatewayCli.GuardAsync(async () =>
        {
            var bootstrap = Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client));
            var password = await PasswordAsync(r.GetValue(file), ct).ConfigureAwait(false);
            return await AlterAsync(bootstrap, Mechanisms.Select(m => new UserScramCredentialUpsertion
            {
                User = r.GetValue(name)!,
                ScramCredentialInfo = new() { Mechanism = m, Iterations = Iterations },
                Salt = RandomNumberGenerator.GetBytes(SaltBytes),
                Password = Encoding.UTF8.GetBytes(password),
            })).ConfigureAwait(false);
        }));
        return command;
    }

    static Command MakeRemove()
    {
        var name = new Argument<string>("name") { Description = "Name the user logs in with." };
        var (config, broker, client) = (CommonOptions.Config(), CommonOptions.Broker(), CommonOptions.ClientConfig());
        var command = new Command("remove", "Removes a user. Connections he has stay until their session ends.") { name, config, broker, client };
        command.SetAction((r, _) => GatewayCli.GuardAsync(async () =>
        {
            var (bootstrap, user) = (Addresses.Broker(r.GetValue(broker), r.GetValue(config)!, r.GetValue(client)), r.GetValue(name)!);
            var known = (await DescribeAsync(bootstrap, [user]).ConfigureAwait(false)).FirstOrDefault();
            if (known is null || known.ScramCredentialInfos.Count == 0) throw new CliException($"There is no user '{user}'. './gateway users' lists them.");
            return await AlterAsync(bootstrap, known.ScramCredentialInfos.Select(c => new UserScramCredentialDeletion { User = user, Mechanism = c.Mechanism })).ConfigureAwait(false);
        }));
        return command;
    }

    static async Task<int> ListAsync(string bootstrap, bool json)
    {
        var users = await DescribeAsync(bootstrap, []).ConfigureAwait(false);
        var rows = users.OrderBy(u => u.User, StringComparer.Ordinal)
            .Select(u => new { user = u.User, credentials = u.ScramCredentialInfos.Select(c => new { mechanism = Name(c.Mechanism), iterations = c.Iterations }).ToList() }).ToList();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(rows));
            return ExitCode.Done;
        }
        var table = new Table().Border(TableBorder.None).AddColumns("user", "credentials");
        foreach (var row in rows) table.AddRow(Markup.Escape(row.user), Markup.Escape(string.Join(", ", row.credentials.Select(c => $"{c.mechanism} ({c.iterations})"))));
        Screen.Out.Write(table);
        return ExitCode.Done;
    }

    static async Task<List<UserScramCredentialsDescription>> DescribeAsync(string bootstrap, string[] users)
    {
        using var admin = KafkaClients.Admin(bootstrap);
        try
        {
            return (await admin.DescribeUserScramCredentialsAsync(users, new() { RequestTimeout = KafkaClients.Patience }).ConfigureAwait(false)).UserScramCredentialsDescriptions;
        }
        catch (DescribeUserScramCredentialsException e) when (e.Results.UserScramCredentialsDescriptions.TrueForAll(u => u.Error.Code is ErrorCode.NoError or (ErrorCode)91)) // RESOURCE_NOT_FOUND
        {
            return [.. e.Results.UserScramCredentialsDescriptions.Where(u => !u.Error.IsError)];
        }
        catch (DescribeUserScramCredentialsException e)
        {
            throw new CliException(KafkaClients.Explain(e.Results.UserScramCredentialsDescriptions.First(u => u.Error.IsError).Error));
        }
    }

    static async Task<int> AlterAsync(string bootstrap, IEnumerable<UserScramCredentialAlteration> changes)
    {
        using var admin = KafkaClients.Admin(bootstrap);
        try
        {
            await admin.AlterUserScramCredentialsAsync(changes, new() { RequestTimeout = KafkaClients.Patience }).ConfigureAwait(false);
            return ExitCode.Done;
        }
        catch (AlterUserScramCredentialsException e)
        {
            var refused = e.Results.First(r => r.Error.IsError);
            throw new CliException($"{refused.User}: {KafkaClients.Explain(refused.Error)}");
        }
    }

    static async Task<string> PasswordAsync(FileInfo? file, CancellationToken ct)
    {
        var password = file is not null ? (await File.ReadAllLinesAsync(file.FullName, ct).ConfigureAwait(false)).FirstOrDefault()
            : Console.IsInputRedirected ? await Console.In.ReadLineAsync(ct).ConfigureAwait(false)
            : await new TextPrompt<string>("Password:").Secret(null).ShowAsync(Screen.Out, ct).ConfigureAwait(false);
        return string.IsNullOrEmpty(password) ? throw new CliException("The password is empty.", ExitCode.Usage) : password;
    }

    static string Name(ScramMechanism mechanism) => mechanism == ScramMechanism.ScramSha256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
}
