using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace GenericHttpEsp.Sandbox;

/// <summary>XML bodies. Unless a path tells, the record is the nearest element around the first address that has siblings of its name.</summary>
internal static class SandboxXmlBody
{
    private static readonly XmlReaderSettings Settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };

    public static void Read(string body, SandboxPaths paths, bool refuseLeftovers, SandboxRecords into)
    {
        if (Parse(body, into) is not { } root)
        {
            return;
        }

        if (refuseLeftovers && SandboxText.Leftover(Encoding.UTF8.GetBytes(body)) is { } leftover)
        {
            into.Wrong(422, leftover);
        }

        var records = Records(root, paths);
        foreach (var record in records)
        {
            var slot = new SandboxSlot();
            foreach (var (names, text) in Leaves(record))
            {
                Offer(slot, names, Encoding.UTF8.GetBytes(text), paths);
            }

            if (slot.Address.IsEmpty)
            {
                into.Wrong(422, records.Count == 1 ? "no address found" : $"record {into.Count} has no address");
                continue;
            }

            into.Add(slot.Address, slot.MessageId);
        }

        if (records.Count == 0)
        {
            into.Wrong(422, "nothing stands at the path of the records");
        }
    }

    private static XElement? Parse(string body, SandboxRecords into)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(body), Settings);
            return XDocument.Load(reader).Root;
        }
        catch (XmlException error)
        {
            into.Wrong(400, $"not XML: {error.Message}");
            return null;
        }
    }

    private static List<XElement> Records(XElement root, SandboxPaths paths)
    {
        if (paths.Records is { } path)
        {
            return [.. root.DescendantsAndSelf().Where(element => path.EndsIn(Encoding.UTF8.GetBytes(element.Name.LocalName)))];
        }

        var address = root.DescendantsAndSelf().FirstOrDefault(element => !element.HasElements && IsRecipient(Kinds(Names(element)))
            && SandboxText.TryAddress(Encoding.UTF8.GetBytes(element.Value), out _));
        var record = address?.AncestorsAndSelf().FirstOrDefault(element => element.Parent?.Elements(element.Name).Skip(1).Any() ?? false);
        return record is null ? [root] : [.. record.Parent!.Elements(record.Name)];
    }

    /// <summary>Elements without elements, and attributes, each with the names above it up to the record.</summary>
    private static IEnumerable<(List<string> Names, string Text)> Leaves(XElement record)
    {
        foreach (var element in record.DescendantsAndSelf())
        {
            var names = Names(element, record);
            foreach (var attribute in element.Attributes())
            {
                yield return ([.. names, attribute.Name.LocalName], attribute.Value);
            }

            if (!element.HasElements)
            {
                yield return (names, element.Value);
            }
        }
    }

    private static List<string> Names(XElement element, XElement? top = null) =>
        [.. element.AncestorsAndSelf().TakeWhile(one => one != top?.Parent).Reverse().Select(one => one.Name.LocalName)];

    private static SandboxKeyKind[] Kinds(List<string> names) => [.. names.Select(name => SandboxKeys.KindOf(Encoding.UTF8.GetBytes(name)))];

    private static bool IsRecipient(SandboxKeyKind[] kinds) =>
        kinds.Contains(SandboxKeyKind.Address) && !kinds.Contains(SandboxKeyKind.NotRecipient);

    private static void Offer(SandboxSlot slot, List<string> names, byte[] text, SandboxPaths paths)
    {
        var name = Encoding.UTF8.GetBytes(names[^1]);
        var kinds = Kinds(names);
        if (paths.Address?.EndsIn(name) ?? IsRecipient(kinds))
        {
            slot.OfferAddress(text);
        }

        if (paths.MessageId is { } id ? id.EndsIn(name) : kinds[^1] == SandboxKeyKind.MessageId || text.Contains((byte)'|'))
        {
            slot.OfferMessageId(text, paths.MessageId is not null || kinds[^1] == SandboxKeyKind.MessageId);
        }
    }
}
