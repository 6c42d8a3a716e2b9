using GenericHttpEsp.Wiring;

var verbs = Verbs.Parse(args);
return verbs.Verb switch
{
    "serve" => await ServeProgram.RunAsync(verbs.Rest),
    // One line a verb: "demo" => DemoProgram.RunAsync(verbs.Rest, verbs.Exit), "sandbox" => SandboxHost.RunAsync(verbs.Rest).
    _ => await Verbs.RefuseAsync(verbs.Verb),
};
