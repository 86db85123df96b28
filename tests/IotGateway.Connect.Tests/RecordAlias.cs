// Xunit has a Record of its own.
global using Record = IotGateway.Sdk.Data.Record;
