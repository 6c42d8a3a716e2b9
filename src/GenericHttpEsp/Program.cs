using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Wiring;

var verbs = Verbs.Parse(args);
return verbs.Verb switch
{
    "serve" => await ServeProgram.RunAsync(verbs.Rest),
    "demo" => await DemoProgram.RunAsync(verbs.Rest, verbs.Exit),
    "sandbox" => await SandboxHost.RunAsync(verbs.Rest),
    "backup" => await BackupProgram.RunAsync(verbs.Rest),
    "restored" => await RestoredProgram.RunAsync(verbs.Rest),
    "health" => await HealthProgram.RunAsync(verbs.Rest),
    _ => await Verbs.RefuseAsync(verbs.Verb),
};
