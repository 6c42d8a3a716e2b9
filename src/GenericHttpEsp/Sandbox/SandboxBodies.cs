using System.Text;
using System.Text.Unicode;

namespace GenericHttpEsp.Sandbox;

/// <summary>Chooses how to read a body: by its content type, else by its first byte; a request without a body is read from its query.</summary>
internal static class SandboxBodies
{
    public static void Read(HttpRequest request, ReadOnlySpan<byte> body, SandboxPaths paths, bool refuseLeftovers, SandboxRecords into)
    {
        var type = request.ContentType?.Split(';')[0].Trim().ToLowerInvariant() ?? "";
        if (body.IsEmpty)
        {
            ReadForm(request.QueryString.HasValue ? request.QueryString.Value![1..] : "", paths, refuseLeftovers, into);
        }
        else if (HttpMethods.IsGet(request.Method))
        {
            into.Wrong(400, "a GET with a body");
        }
        else if (type.EndsWith("json", StringComparison.Ordinal))
        {
            SandboxJsonShape.Read(body, paths, refuseLeftovers, into);
        }
        else if (type.StartsWith("multipart/", StringComparison.Ordinal))
        {
            into.Wrong(415, "multipart is not understood");
        }
        else if (!Utf8.IsValid(body))
        {
            into.Wrong(400, "not UTF-8");
        }
        else if (type == "application/x-www-form-urlencoded")
        {
            ReadForm(Encoding.UTF8.GetString(body), paths, refuseLeftovers, into);
        }
        else if (type.EndsWith("xml", StringComparison.Ordinal) || body[0] == '<')
        {
            SandboxXmlBody.Read(Encoding.UTF8.GetString(body), paths, refuseLeftovers, into);
        }
        else if (body[0] is (byte)'{' or (byte)'[')
        {
            SandboxJsonShape.Read(body, paths, refuseLeftovers, into);
        }
        else
        {
            ReadText(Encoding.UTF8.GetString(body), refuseLeftovers, into);
        }
    }

    private static void ReadForm(string form, SandboxPaths paths, bool refuseLeftovers, SandboxRecords into)
    {
        if (form.Length == 0)
        {
            into.Wrong(400, "neither a body nor a query");
            return;
        }

        SandboxFormBody.Read(form, paths, refuseLeftovers, into);
    }

    /// <summary>Free text is one record: its first word that is an address, and the first that is a meta string.</summary>
    private static void ReadText(string text, bool refuseLeftovers, SandboxRecords into)
    {
        var slot = new SandboxSlot();
        foreach (var word in text.Split([' ', '\t', '\r', '\n', '=', ':', ',', ';', '"', '\'', '<', '>'], StringSplitOptions.RemoveEmptyEntries))
        {
            var bytes = Encoding.UTF8.GetBytes(word);
            slot.OfferAddress(bytes);
            slot.OfferMessageId(bytes, underTellingKey: false);
        }

        if (refuseLeftovers && SandboxText.Leftover(Encoding.UTF8.GetBytes(text)) is { } leftover)
        {
            into.Wrong(422, leftover);
        }

        SandboxFormBody.Finish([slot.Address.ToArray()], [slot.MessageId.ToArray()], into);
    }
}
