// Package sqlgen writes the SQL of the stores over SQLite and PostgreSQL. It
// knows one kind of table for both of their layouts, says how exactly the
// database can do each part of a query, and writes it as one parametrised
// statement. It holds no connection and does no I/O.
//
// Start at [Table]: cond.go says what of a condition the database can do, by the
// subject (operand.go) that each path is to it (pg….go, lite….go), order.go and
// group.go the same of sorting and grouping; select.go, byid.go and group.go write
// statements, ddl.go tables. encode.go and decode.go are the JSON that keeps kinds.
// docs/design/0006-sql-stores.md says why it is as it is.
//
// Statements for SQLite call functions that the connection must have:
//
//   - dk_ilike(pattern, text) and dk_matches(pattern, text): 1 or 0, NULL of what
//     is no text;
//   - dk_key(json): the [Key] of a value in the JSON that keeps kinds, as a blob;
//   - dk_id(value): the text that the value of a key column gives to the ID.
//
// None is ever part of the definition of a table or an index, so that other
// programs can use the file.
package sqlgen

import "dataknobs.dev/dataknobs"

// A Dialect is a database.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota + 1
	Postgres
)

// A Table says what a table of the database holds. It is not changed once it
// is used; its methods may be called by several goroutines at once.
type Table struct {
	Dialect Dialect
	Schema  string // "": found by the search path
	Name    string
	// ID is the text column that holds the ID by itself (the document layout);
	// "": the columns of Key make it.
	ID string
	// Key are the Columns that make the ID, by index, in order.
	Key []int
	// Columns are the typed columns, each a top-level field of that name, in
	// table order.
	Columns []Column
	// Extra is the JSON column (kinds kept) of all fields that have no column;
	// "": there is none.
	Extra string
	// Meta is the JSON column (kinds kept) of the metadata; "": there is none.
	Meta string
	Rev  Rev
	// Indexed are the paths with a declared index: conditions and sorts on them
	// are written so that the index serves.
	Indexed []dataknobs.Path
	// View: it is a view, so it has neither xmin nor ctid.
	View bool
}

// A Column is one typed column.
type Column struct {
	Name    string
	Type    Type
	SQLType string // as the database names it, for casts: numeric(12,2), public.mood; of an array, its own ("integer[]")
	Elem    Type   // of an Array
	NotNull bool
	// Generated: the database computes it. Identity: it numbers rows by itself.
	// HasDefault: an insert may leave it out.
	Generated, Identity, HasDefault bool
	// ByteOrder says of a text that it compares by its bytes by itself: its
	// collation is C, POSIX or C.UTF-8 (in PostgreSQL also as the database's
	// default), or BINARY in SQLite, which is what it has without COLLATE. Ranges
	// and sorts can then use the column's own indexes.
	ByteOrder bool
	// Checked (SQLite): the table's own constraint, [Column.Check], keeps values
	// of any other form than this package's out of the column, so that
	// comparisons in the store are exact.
	Checked bool
}

// A Type is what a column holds, and with it the kind of its values.
type Type uint8

// The types. What a value of the database cannot be under its kind (a NaN, a
// time beyond year 9999, a numeric that no float64 says, text in an INTEGER
// column of SQLite) is read as a string, or as what SQLite holds.
const (
	Bool        Type = iota + 1 // bool; in SQLite 0 and 1
	Int                         // int
	Float                       // float
	Numeric                     // int, float where the shortest decimal of the nearest is the number, else string
	Text                        // string
	UUID                        // string, in lower case
	Enum                        // string
	Date                        // time: its midnight in UTC
	Timestamp                   // time, taken as UTC. In SQLite text: see [Column.Checked]
	TimestampTZ                 // time
	Bytes                       // bytes
	JSON                        // plain JSON of any kind
	Tagged                      // JSON that keeps kinds, as Extra does
	Array                       // array of Elem
	Other                       // string: the value cast to text
	Any                         // SQLite: int, float, string or bytes, by each value
)

// RevKind says how a table's revisions are had.
type RevKind uint8

// The kinds of revisions.
const (
	RevNone     RevKind = iota // there are none
	RevColumn                  // a column, of whatever type
	RevSystem                  // PostgreSQL: xmin and ctid
	RevDocument                // the integer column Column; in PostgreSQL with xmin
	RevHash                    // a hash of the content, by the driver
)

// A Rev says where a table's revisions are.
type Rev struct {
	Kind   RevKind
	Column string // of RevColumn and RevDocument
}

// A Statement is one SQL statement.
type Statement struct {
	SQL string
	// Args are the parameters in order ($1 or ?1 first): nil, bool, int64,
	// float64, string, []byte, []string or []int64. In PostgreSQL each is cast where
	// it stands, and a string is the text form of whatever type the cast names.
	Args []any
	// Out are the result's columns, in order.
	Out []Output

	groups *grouping // of a statement of Groups
}

// Out says what a result column is.
type Out uint8

// What result columns are.
const (
	OutID     Out = iota + 1 // text: the ID (of tables with an ID column)
	OutColumn                // the typed column Columns[Column]; Other comes as text
	OutExtra                 // the JSON of all fields without a column: [ParseFields]
	OutField                 // the JSON of the one top-level field Name in Extra, NULL where absent: [ParseValue]
	OutMeta                  // the JSON of the metadata: [ParseFields]
	OutRev                   // a part of the revision, which is the texts of all such columns joined by "."
	// OutInexact is a bool (0 or 1 in SQLite): the record's place in the order is not
	// sure, so the scan ends before it with dataknobs.ErrInexact.
	OutInexact
	OutCount   // an integer: the count
	OutGroup   // a part of a group; see [Statement.Group]
	OutNothing // of no interest
)

// An Output is one result column.
type Output struct {
	Is     Out
	Column int    // of OutColumn
	Name   string // of OutField
	// Names, of OutExtra, are the only fields that anyone will look at; nil: all.
	Names []string
}
