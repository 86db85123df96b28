using IotGateway.Host.Cli;

return await GatewayCli.RunAsync(args).ConfigureAwait(false);
