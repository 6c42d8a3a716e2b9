using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Conditions on one attribute in an engine's SQL; each is true or false, never null. <c>right</c> is an operator with its parameter, such as <c>&lt; @f1</c>.
/// </summary>
internal abstract class AttributeSql(Func<object, string> parameter)
{
    private readonly Dictionary<string, string> _names = [];

    /// <summary>Tables of the statement; read it when all conditions have been asked for.</summary>
    public abstract string From { get; }

    public abstract string Exists(string attribute);

    public abstract string Literal(string attribute, string literals);

    /// <summary>Both engines compare the bytes of UTF-8: SQLite by default, PostgreSQL with "C".</summary>
    public abstract string Text(string attribute, string right);

    /// <summary>Both engines compare doubles.</summary>
    public abstract string Number(string attribute, string right);

    /// <summary>Attributes asked for so far, in order, each with its parameter.</summary>
    protected IReadOnlyCollection<string> Names => _names.Values;

    /// <summary>The parameter that names the attribute: one for all its terms.</summary>
    protected string Name(string attribute)
    {
        if (!_names.TryGetValue(attribute, out var name))
        {
            _names[attribute] = name = parameter(Path(attribute));
        }

        return name;
    }

    protected abstract string Path(string attribute);
}

/// <summary>json_type and json_extract; SQLite keeps the parsed text from one call to the next.</summary>
internal sealed class SqliteAttributeSql(Func<object, string> parameter) : AttributeSql(parameter)
{
    public override string From => "profiles p";

    public override string Exists(string attribute) => $"(json_type(p.attributes, {Name(attribute)}) is not null)";

    public override string Literal(string attribute, string literals) =>
        $"(case when json_type(p.attributes, {Name(attribute)}) in (select value from json_each({literals})) then true else false end)";

    public override string Text(string attribute, string right) =>
        $"(case when json_type(p.attributes, {Name(attribute)}) = 'text' then {Value(attribute)} {right} else false end)";

    public override string Number(string attribute, string right) =>
        $"(case when json_type(p.attributes, {Name(attribute)}) in ('integer', 'real') then cast({Value(attribute)} as real) {right} else false end)";

    // The quoted part of a path is a JSON string, so no name can break out of it.
    protected override string Path(string attribute) => $"$.{JsonSerializer.Serialize(attribute, AudienceSql.Relaxed)}";

    private string Value(string attribute) => $"json_extract(p.attributes, {Name(attribute)})";
}

/// <summary>
/// jsonb, taken apart once a row and not once a term: 100 terms on one attribute took 47 s on 300,000 profiles, and 2.4 s so. <c>offset 0</c> keeps the
/// planner from copying the expressions back into the terms; one lateral table, since beside several it would memoize whole documents in vain.
/// </summary>
internal sealed class PostgresAttributeSql(Func<object, string> parameter) : AttributeSql(parameter)
{
    private readonly SortedSet<string> _values = new(StringComparer.Ordinal);

    public override string From => Names.Count == 0
        ? "profiles p"
        : $"""
        profiles p
        cross join lateral (
          select {string.Join(", ", _values.Prepend("b.*"))}
          from (
            select {string.Join(", ", Names.Select(static name => $"a.doc -> {name} as {Column('v', name)}"))}
            from (select p.attributes::jsonb as doc offset 0) a offset 0
          ) b offset 0
        ) c
        """;

    public override string Exists(string attribute) => $"(c.{Column('v', Name(attribute))} is not null)";

    // jsonb writes a string with its quotes, so "true" and true stay apart.
    public override string Literal(string attribute, string literals) => $"coalesce(c.{Column('v', Name(attribute))}::text = any({literals}), false)";

    public override string Text(string attribute, string right) =>
        Value(attribute, 't', right, static json => $"case when jsonb_typeof({json}) = 'string' then ({json} #>> array[]::text[]) collate \"C\" end");

    public override string Number(string attribute, string right) =>
        Value(attribute, 'n', right, static json => $"case when jsonb_typeof({json}) = 'number' then {Double($"{json}::numeric")} end");

    protected override string Path(string attribute) => attribute;

    private string Value(string attribute, char kind, string right, Func<string, string> expression)
    {
        var name = Name(attribute);
        _values.Add($"{expression($"b.{Column('v', name)}")} as {Column(kind, name)}");
        return $"coalesce(c.{Column(kind, name)} {right}, false)";
    }

    // A parameter's number serves its columns too.
    private static string Column(char kind, string name) => kind + name[1..];

    /// <summary>
    /// PostgreSQL's numbers are exact, SQLite's are doubles: doubles are what both can agree on. The cast to them is an error beyond their range,
    /// which would abort the statement for everyone; IEEE 754 and SQLite say infinity and zero (half of the smallest double rounds to zero).
    /// </summary>
    private static string Double(string numeric) =>
        $"""
        case when abs({numeric}) >= 1.797693134862315807e308 then sign({numeric})::float8 * 'Infinity'::float8
             when abs({numeric}) < 2.4703282292062327209e-324 then 0::float8
             else {numeric}::float8 end
        """;
}
