using System.Security.Cryptography;
using System.Text;
using GenericHttpEsp.Api;
using GenericHttpEsp.Content;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Providers;

/// <param name="Request">Null when there are errors.</param>
/// <param name="Skipped">Who is not in it.</param>
/// <param name="Errors">JSON pointer into the body to messages.</param>
internal sealed record TrialOutcome(AssembledRequest? Request, IReadOnlyList<TrialSkipped> Skipped, IReadOnlyDictionary<string, string[]> Errors);

/// <summary>Makes the request of a preview or a test by the same steps, and the same assembler, as a campaign.</summary>
internal sealed class Trial(InstallationKeys keys, ServerAddresses addresses, TimeProvider time)
{
    // No campaign has this number: callbacks and links of test messages find nobody.
    private const long NoCampaign = 0;
    private const string KeyCharacters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    public TrialOutcome Make(RequestTemplate template, TrialRequest trial)
    {
        var problems = new TemplateProblems();
        var binding = template.Bind(trial.Content, Run());
        TrialRules.Check(trial.Recipients ?? [], template.Provider.Batch?.Size ?? 1, problems);
        foreach (var (pointer, messages) in binding.Errors)
        {
            Array.ForEach(messages, message => problems.Add(pointer, message));
        }

        return problems.HasErrors ? new(null, [], problems.Errors) : Render(binding.Template!, trial.Recipients!, problems);
    }

    private RunFacts Run()
    {
        var now = time.GetUtcNow();
        var ring = new MetaKeyRing([.. keys.Meta.Reverse().Select(key => new MetaKey(key.Id, key.Key))]);
        return new(keys.AccountId, NoCampaign, Run: 0, DateOnly.FromDateTime(now.UtcDateTime), now, addresses.PublicUrl, ring);
    }

    private TrialOutcome Render(BoundTemplate template, IReadOnlyList<TrialRecipient> recipients, TemplateProblems problems)
    {
        using var scratch = new RenderScratch(time);
        var records = new List<ReadOnlyMemory<byte>>();
        var skipped = new List<TrialSkipped>();
        foreach (var (index, recipient) in recipients.Index())
        {
            using var buffer = new Utf8Buffer();
            if (template.RenderRecord(Model(index, recipient), scratch, buffer) is { } failure)
            {
                skipped.Add(new(index, recipient.Email!, failure.Detail));
                problems.Add($"/recipients/{index}", failure.Detail);
            }
            else
            {
                records.Add(buffer.WrittenSpan.ToArray());
            }
        }

        // With one message left there is something to show; with none there are only reasons.
        return records.Count == 0
            ? new(null, skipped, problems.Errors)
            : new(template.Assemble(records, RandomNumberGenerator.GetString(KeyCharacters, RequestAssembler.BatchKeyCharacters)), skipped, problems.Errors);
    }

    private static RecipientModel Model(int index, TrialRecipient recipient) => RecipientModel.FromJson(
        index + 1,
        recipient.Email!,
        recipient.Attributes is { ValueKind: System.Text.Json.JsonValueKind.Object } attributes ? Encoding.UTF8.GetBytes(attributes.GetRawText()) : default,
        recipient.TimeZone);
}
