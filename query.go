package dataknobs

// A Query asks for records, or for aggregates of groups of records, as plain
// data. The zero Query asks for every record. Make one with [Parse], with a
// [Builder] that starts at [Where] or [Select], from JSON, or as a literal; the
// engine checks it (see [Query.Check]) when it runs. Nothing changes a Query
// that it is given, so one may be used by several goroutines at once.
type Query struct {
	Select  []Column // what each result holds; nil: the whole record, or a group's keys
	Where   Expr     // which records; nil: all
	GroupBy []Path   // what makes a group; with aggregates in Select
	Having  Expr     // which groups; nil: all
	OrderBy []Order  // ties are broken by _id, ascending
	Limit   *int     // at most so many results; nil: no limit. 0 is a limit
	Offset  int      // leave out so many first
	After   string   // a cursor token: continue after the record that it was made for

	err error // what the builder could not read; Check reports it
}

// A Column is one thing that a query selects.
type Column struct {
	Path Path   // empty with CountAll
	Agg  Agg    // NoAgg: the value itself
	As   string // the name in the result; "": the path itself, nesting kept, or the aggregate as written
}

// An Order is one key of a sort.
type Order struct {
	Path  Path
	Agg   Agg // sort groups by an aggregate
	Desc  bool
	Nulls Nulls
}

// Nulls says where nulls sort.
type Nulls uint8

// Where nulls sort: last in both directions unless NullsFirst is asked for.
const (
	NullsLast Nulls = iota
	NullsFirst
)

// Grouped reports whether q asks for groups: it has GROUP BY or an aggregate.
func (q *Query) Grouped() bool {
	if len(q.GroupBy) > 0 {
		return true
	}
	for _, c := range q.Select {
		if c.Agg != NoAgg {
			return true
		}
	}
	return false
}
