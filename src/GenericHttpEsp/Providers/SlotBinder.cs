using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Turns one segment of a compiled template into steps of a record.</summary>
internal sealed class SlotBinder(RunFacts run, RunIdentity identity, ContentTexts texts, RenderScratch scratch, TemplateProblems problems)
{
    private readonly RenderScope _scope = new(run.Now, identity.UnsubscribeUrl, identity.PreferenceUrl);

    public void Bind(TemplateSegment segment, PartWriter writer)
    {
        switch (segment)
        {
            case TemplateSegment.Literal literal:
                writer.Literal.Write(literal.Bytes);
                break;
            case TemplateSegment.Liquid liquid:
                Liquid(liquid.Template, liquid.Place, singleLine: false, liquid.Spot, "a value from the profile", writer);
                break;
            case TemplateSegment.Slot slot when Placeholders.IsCustom(slot.Name):
                Custom(slot, writer);
                break;
            case TemplateSegment.Slot slot:
                Known(slot, writer);
                break;
        }
    }

    private void Known(TemplateSegment.Slot slot, PartWriter writer)
    {
        switch (slot.Name)
        {
            case Placeholders.To:
                writer.AddOfRecipient(new RecordPart.Address(slot.Place), slot.Spot, slot.Name);
                break;
            case Placeholders.MessageId:
                writer.AddOfRecipient(new RecordPart.Meta(identity, slot.Place), slot.Spot, slot.Name);
                break;
            case Placeholders.MessageToken:
                writer.AddOfRecipient(new RecordPart.Token(identity), slot.Spot, slot.Name);
                break;
            case Placeholders.UnsubscribeUrl:
                Link("", identity.UnsubscribeBase, true, "", slot, writer);
                break;
            case Placeholders.ListUnsubscribe:
                Link("<", identity.UnsubscribeBase, true, ">", slot, writer);
                break;
            case Placeholders.PreferenceUrl:
                Link("", identity.Preferences.Url, identity.Preferences.TokenFollows, "", slot, writer);
                break;
            case Placeholders.ListUnsubscribePost:
                writer.Text("List-Unsubscribe=One-Click", slot.Place);
                break;
            case Placeholders.CampaignId:
                writer.Text(run.Campaign.ToString(System.Globalization.CultureInfo.InvariantCulture), slot.Place);
                break;
            case Placeholders.BatchId:
                writer.Add(RecordPart.BatchIdCut.Instance);
                break;
            default:
                Content(slot.Name, texts.Find(slot.Name), slot.Place, writer);
                break;
        }
    }

    private void Content(string name, ContentText text, ValuePlace place, PartWriter writer)
    {
        if (texts.Parse(name, text) is { } template)
        {
            Liquid(template, place, text.SingleLine, new(text.Pointer), "$$" + name, writer);
        }
    }

    private void Custom(TemplateSegment.Slot slot, PartWriter writer)
    {
        if (texts.Custom(slot.Name) is not { } value)
        {
            return;
        }
        if (value.ValueKind == JsonValueKind.String)
        {
            writer.Text(slot.Whole ? "\"" : "", ValuePlace.PlainText);
            Content(slot.Name, new(value.GetString(), ContentTexts.PointerOf(slot.Name), false, false, false), slot.Place, writer);
            writer.Text(slot.Whole ? "\"" : "", ValuePlace.PlainText);
        }
        else if (slot.Whole)
        {
            writer.Text(value.GetRawText(), ValuePlace.PlainText);
        }
        else if (value.ValueKind != JsonValueKind.Null)
        {
            writer.Text(value.GetRawText(), slot.Place);
        }
    }

    private void Link(string before, string address, bool tokenFollows, string after, TemplateSegment.Slot slot, PartWriter writer)
    {
        writer.Text(before + address, slot.Place);
        if (tokenFollows)
        {
            writer.AddOfRecipient(new RecordPart.Token(identity), slot.Spot, slot.Name);
        }
        writer.Text(after, slot.Place);
    }

    private void Liquid(LiquidTemplate template, ValuePlace place, bool singleLine, TemplateSpot spot, string name, PartWriter writer)
    {
        if (template.DependsOnRecipient)
        {
            writer.AddOfRecipient(new RecordPart.Liquid(template, _scope, place, singleLine), spot, name);
            return;
        }
        writer.Literal.BeginRecord();
        if (template.Render(null, _scope, place, singleLine, scratch, writer.Literal) is { } failure)
        {
            problems.Add(spot, $"{name} cannot be rendered: {failure.Detail}");
        }
    }
}
