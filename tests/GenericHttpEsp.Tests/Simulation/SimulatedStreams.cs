using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Streams;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>Progress goes nowhere: it is harmless to lose.</summary>
public class SimulatedStreams : DispatchProxy
{
    internal static readonly IServiceProvider Services = new ServiceCollection()
        .AddKeyedSingleton("progress", (_, _) => Create<IStreamProvider, SimulatedStreams>()).BuildServiceProvider();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IStreamProvider.GetStream) ? Create(targetMethod.ReturnType, typeof(SimulatedStreams)) : Task.CompletedTask;
}
