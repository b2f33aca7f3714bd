// Package sqlite is the store over a table or view of an SQLite database: a
// single file, no server, no cgo.
//
// A table that this package made (the document layout) holds the ID, the fields
// and the metadata as JSON that keeps kinds, and a revision; the sqlite3 shell
// reads it as well: select id, fields->>'name' from people. Any other table or view
// is read as it is (the columns layout): each column is a field.
// docs/design/0006-sql-stores.md says why, and driver/internal/sqlgen writes the
// SQL of both.
//
// Importing it registers the backend "sqlite":
//
//	db, err := dataknobs.Open(ctx, "sqlite:app.db?table=people", nil)
//
// In the code, start at [Driver] in sqlite.go: place.go finds the file,
// catalog.go what the table holds, pool.go keeps the connections, read.go and
// row.go read, write.go, commit.go, writer.go and load.go write, tx.go runs transactions.
package sqlite
