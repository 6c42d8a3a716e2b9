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
    private readonly List<(string Name, object Value)> _parameters = [];
    private readonly AttributeSql _attributes;
    private readonly bool _sqlite;

    private AudienceSql(AudienceFilter filter, StorageEngine engine)
    {
        _sqlite = engine == StorageEngine.Sqlite;
        _attributes = _sqlite ? new SqliteAttributeSql(Parameter) : new PostgresAttributeSql(Parameter);
        IsEverybody = filter.Condition is AudienceCondition.Everyone;
        Where = Condition(filter.Condition);
        From = _attributes.From;
    }

    /// <summary>Paths and value lists are JSON inside a parameter: relaxed escaping only keeps them short.</summary>
    public static JsonSerializerOptions Relaxed { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>There is no condition.</summary>
    public bool IsEverybody { get; }

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
        AudienceCondition.Exists exists => _attributes.Exists(exists.Attribute),
        AudienceCondition.Literal literal => _attributes.Literal(literal.Attribute, Parameter(literal.Literals)),
        AudienceCondition.Text text => _attributes.Text(text.Attribute, Right(text.Comparison, text.Values)),
        AudienceCondition.Number number => _attributes.Number(number.Attribute, Right(number.Comparison, number.Values)),
        AudienceCondition.And and => $"({string.Join(" and ", and.Conditions.Select(Condition))})",
        AudienceCondition.Or or => $"({string.Join(" or ", or.Conditions.Select(Condition))})",
        AudienceCondition.Not not => $"not ({Condition(not.Condition)})",
        _ => throw new InvalidOperationException($"No SQL for {condition.GetType().Name}."),
    };

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

    private string Parameter<T>(IReadOnlyList<T> values) => Parameter(_sqlite ? JsonSerializer.Serialize(values, Relaxed) : (object)values.ToArray());

    private string Parameter(object value)
    {
        var name = $"@f{_parameters.Count}";
        _parameters.Add((name, value));
        return name;
    }
}
