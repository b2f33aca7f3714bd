// Package postgres is the store in a table of a PostgreSQL database.
//
// A table that this package made (the document layout) holds the ID, the
// fields and the metadata as JSON that keeps kinds, and a revision. Any other
// table or view is read as it is (the columns layout): each column is a field.
// docs/design/0006-sql-stores.md says why, and driver/internal/sqlgen writes
// the SQL of both.
//
// Importing it registers the backend "postgres":
//
//	db, err := dataknobs.Open(ctx, "postgres://app@db.example.org/app?table=people", nil)
//
// In the code, start at [Driver]: driver.go opens a store, catalog.go finds out
// what its table holds, conn.go talks to the server, read.go and scan.go read,
// write.go, batch.go and load.go write, tx.go runs transactions. What went wrong is
// put into words by errors.go, and by connerrors.go where no server was reached.
package postgres
