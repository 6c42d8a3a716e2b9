using System.Data.Common;
using System.Text.Encodings.Web;
using System.Text.Json;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// A filter as <c>from</c> and <c>where</c> over <c>profiles p</c>. Every name and value is a parameter; every condition is true or false, never null,
/// so that <c>not</c> means the same on both engines.
/// </summary>
internal sealed class AudienceSql
{
    // Paths and value lists are JSON inside a parameter: relaxed escaping only keeps them short.
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<(string Name, object Value)> _parameters = [];
    private readonly bool _sqlite;
    private bool _readsAttributes;

    private AudienceSql(AudienceFilter filter, StorageEngine engine)
    {
        _sqlite = engine == StorageEngine.Sqlite;
        Where = Condition(filter.Condition);
        // The attributes are cast once a row, not once a term: offset 0 keeps the planner from copying the cast into every term.
        From = _readsAttributes && !_sqlite
            ? "profiles p cross join lateral (select p.attributes::jsonb as doc offset 0) a"
            : "profiles p";
    }

    public string From { get; }

    public string Where { get; }

    public static AudienceSql Compile(AudienceFilter filter, StorageEngine engine) => new(filter, engine);

    /// <summary>
    /// A command of its own instead of the session's prepared ones: the text differs from filter to filter, and those are bounded by the source.
    /// </summary>
    public DbCommand Command(LedgerSession session, string sql, params ReadOnlySpan<(string Name, object Value)> more)
    {
        var command = session.Connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = session.Transaction;
        foreach (var (name, value) in (ReadOnlySpan<(string, object)>)[.. _parameters, .. more])
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }

        return command;
    }

    private string Condition(AudienceCondition condition) => condition switch
    {
        AudienceCondition.Everyone => "true",
        AudienceCondition.InList list =>
            $"p.id in (select m.profile_id from memberships m where m.list_id = (select l.id from lists l where l.name = {Parameter(list.Name)}))",
        AudienceCondition.Exists exists => Exists(Attribute(exists.Attribute)),
        AudienceCondition.Literal literal => Literal(Attribute(literal.Attribute), Parameter(literal.Literals)),
        AudienceCondition.Text text => Text(Attribute(text.Attribute), Right(text.Comparison, text.Values)),
        AudienceCondition.Number number => Number(Attribute(number.Attribute), Right(number.Comparison, number.Values)),
        AudienceCondition.And and => $"({string.Join(" and ", and.Conditions.Select(Condition))})",
        AudienceCondition.Or or => $"({string.Join(" or ", or.Conditions.Select(Condition))})",
        AudienceCondition.Not not => $"not ({Condition(not.Condition)})",
        _ => throw new InvalidOperationException($"No SQL for {condition.GetType().Name}."),
    };

    private string Exists(string name) => _sqlite
        ? $"(json_type(p.attributes, {name}) is not null)"
        : $"(a.doc -> {name} is not null)";

    // jsonb writes a string with its quotes, so "true" and true stay apart.
    private string Literal(string name, string literals) => _sqlite
        ? $"(case when json_type(p.attributes, {name}) in (select value from json_each({literals})) then true else false end)"
        : $"coalesce((a.doc -> {name})::text = any({literals}), false)";

    // Both compare the bytes of UTF-8: SQLite's default, PostgreSQL's "C".
    private string Text(string name, string right) => _sqlite
        ? $"(case when json_type(p.attributes, {name}) = 'text' then json_extract(p.attributes, {name}) {right} else false end)"
        : $"(case when jsonb_typeof(a.doc -> {name}) = 'string' then (a.doc ->> {name}) collate \"C\" {right} else false end)";

    private string Number(string name, string right) => _sqlite
        ? $"(case when json_type(p.attributes, {name}) in ('integer', 'real') then cast(json_extract(p.attributes, {name}) as real) {right} else false end)"
        : $"(case when jsonb_typeof(a.doc -> {name}) = 'number' then {PostgresDouble($"(a.doc -> {name})::numeric")} {right} else false end)";

    /// <summary>
    /// PostgreSQL's numbers are exact, SQLite's are doubles: doubles are what both can agree on. The cast to them is an error beyond their range,
    /// which would abort the statement for everyone; IEEE 754 and SQLite say infinity and zero (half of the smallest double rounds to zero).
    /// </summary>
    private static string PostgresDouble(string numeric) =>
        $"""
        (case when abs({numeric}) >= 1.797693134862315807e308 then sign({numeric})::float8 * 'Infinity'::float8
              when abs({numeric}) < 2.4703282292062327209e-324 then 0::float8
              else {numeric}::float8 end)
        """;

    private string Right<T>(Comparison comparison, IReadOnlyList<T> values) => comparison switch
    {
        Comparison.Eq => $"= {Parameter(values[0]!)}",
        Comparison.Ne => $"<> {Parameter(values[0]!)}",
        Comparison.Lt => $"< {Parameter(values[0]!)}",
        Comparison.Le => $"<= {Parameter(values[0]!)}",
        Comparison.Gt => $"> {Parameter(values[0]!)}",
        Comparison.Ge => $">= {Parameter(values[0]!)}",
        _ when _sqlite => $"in (select {(typeof(T) == typeof(double) ? "cast(value as real)" : "value")} from json_each({Parameter(values)}))",
        _ => $"= any({Parameter(values)})",
    };

    /// <summary>SQLite takes a path, whose quoted part is a JSON string; PostgreSQL takes the name itself.</summary>
    private string Attribute(string name)
    {
        _readsAttributes = true;
        return Parameter(_sqlite ? $"$.{JsonSerializer.Serialize(name, Relaxed)}" : name);
    }

    private string Parameter<T>(IReadOnlyList<T> values) => Parameter(_sqlite ? JsonSerializer.Serialize(values, Relaxed) : (object)values.ToArray());

    private string Parameter(object value)
    {
        var name = $"@f{_parameters.Count}";
        _parameters.Add((name, value));
        return name;
    }
}
