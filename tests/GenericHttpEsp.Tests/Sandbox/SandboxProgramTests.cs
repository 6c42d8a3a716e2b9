using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class SandboxProgramTests
{
    [Fact]
    public void Arguments_SetOptionsAndBehaviour()
    {
        var options = SandboxProgram.Read([
            "--Sandbox:Port=8025", "--Sandbox:RecordsPath=msgs",
            "--Sandbox:Behaviour:TooManyRequestsShare=0.25", "--Sandbox:Behaviour:RefusedAddresses:0=a@x.test",
            "--Sandbox:Behaviour:Script:2:Action=AcceptThenClose", "--Sandbox:Behaviour:Callbacks:CallbackUrl=http://localhost:8080/callbacks/t",
        ]);

        Assert.Equal((8025, "msgs", 0.25), (options.Port, options.RecordsPath, options.Behaviour.TooManyRequestsShare));
        Assert.True(options.Behaviour.Refuses("A@x.test"));
        Assert.Equal(SandboxAction.AcceptThenClose, options.Behaviour.Script[2].Action);
        Assert.Equal("/callbacks/t", options.Behaviour.Callbacks.CallbackUrl!.AbsolutePath);
    }

    [Theory]
    [InlineData("--Sandbox:Port=99999")]
    [InlineData("--Sandbox:Prot=80")]
    [InlineData("--Sandbox:RecordsPath=a[1]")]
    [InlineData("--Sandbox:ListenAddress=nowhere")]
    [InlineData("--Sandbox:Behaviour:TooManyRequestsShare=2")]
    [InlineData("--Sandbox:Behaviour:Callbacks:ClickedShare=2")]
    public async Task Configuration_ThatIsWrong_EndsTheProgramWithItsCode(string argument)
    {
        Assert.Equal(2, await SandboxHost.RunAsync([argument]));
    }
}
