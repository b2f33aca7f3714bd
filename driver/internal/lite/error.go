package lite

import (
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A Code is a result code of SQLite, an extended one where there is one.
type Code int32

// Primary returns the code without its extension.
func (c Code) Primary() Code { return c & 0xff }

// The primary codes that callers tell apart.
const (
	General    Code = sqlite3.SQLITE_ERROR
	Perm       Code = sqlite3.SQLITE_PERM
	Abort      Code = sqlite3.SQLITE_ABORT
	Busy       Code = sqlite3.SQLITE_BUSY
	Locked     Code = sqlite3.SQLITE_LOCKED
	NoMem      Code = sqlite3.SQLITE_NOMEM
	ReadOnlyDB Code = sqlite3.SQLITE_READONLY
	Interrupt  Code = sqlite3.SQLITE_INTERRUPT
	IOErr      Code = sqlite3.SQLITE_IOERR
	Corrupt    Code = sqlite3.SQLITE_CORRUPT
	Full       Code = sqlite3.SQLITE_FULL
	CantOpen   Code = sqlite3.SQLITE_CANTOPEN
	Protocol   Code = sqlite3.SQLITE_PROTOCOL
	Schema     Code = sqlite3.SQLITE_SCHEMA
	TooBig     Code = sqlite3.SQLITE_TOOBIG
	Constraint Code = sqlite3.SQLITE_CONSTRAINT
	Mismatch   Code = sqlite3.SQLITE_MISMATCH
	Misuse     Code = sqlite3.SQLITE_MISUSE
	Auth       Code = sqlite3.SQLITE_AUTH
	NotADB     Code = sqlite3.SQLITE_NOTADB
)

// Extended codes that callers tell apart.
const (
	BusySnapshot  Code = sqlite3.SQLITE_BUSY_SNAPSHOT
	ReadOnlyMoved Code = sqlite3.SQLITE_READONLY_DBMOVED
)

// An Error is what SQLite answered instead of doing what it was asked.
type Error struct {
	Code    Code
	Message string // of SQLite: may name tables, columns and values
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s (SQLite code %d)", e.Message, e.Code) }

// error returns the error for rc: that of the context where it is what ended
// the call.
func (c *Conn) error(rc int32) error {
	if p := Code(rc).Primary(); (p == Interrupt || p == Busy) && c.cancelled() {
		return c.ctx.Err()
	}
	msg := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 && sqlite3.Xsqlite3_extended_errcode(c.tls, c.db)&0xff == rc&0xff {
		msg = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	}
	return &Error{Code: Code(rc), Message: msg}
}
