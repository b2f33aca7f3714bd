package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
)

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")

// cause is SQLite's error under ours: there for errors.As, without a text,
// since its own stands in ours as far as it may be shown.
type cause struct{ err *lite.Error }

func (cause) Error() string   { return "" }
func (c cause) Unwrap() error { return c.err }

// classify turns an error of SQLite into one with a code, about the file f.
// Errors of a context and errors that have a code pass through.
func (f *place) classify(err error) error {
	var e *lite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	var own *dataknobs.Error
	if errors.As(err, &own) {
		return err
	}
	c := f.known(e)
	if c.Err == nil {
		c.Err = cause{e}
	}
	return c
}

func (f *place) known(e *lite.Error) *dataknobs.Error {
	errorf := dataknobs.Errorf
	switch e.Code.Primary() {
	case lite.Busy, lite.Locked:
		if e.Code == lite.BusySnapshot {
			return serialization()
		}
		return errorf(dataknobs.Unavailable, "%s is locked: another program or transaction is writing to it", f.name).
			WithHint("try again, or raise busy_timeout")
	case lite.Protocol:
		return errorf(dataknobs.Unavailable, "%s: the locks of other programs are in the way", f.name).WithHint("try again")
	case lite.ReadOnlyDB:
		if e.Code == lite.ReadOnlyMoved {
			return errorf(dataknobs.Unavailable, "%s was moved or deleted while it was open", f.name).WithHint("open it again")
		}
		return errorf(dataknobs.PermissionDenied, "%s cannot be written: %s", f.name, e.Message).
			WithHint("the file and its folder must be writable for this user")
	case lite.Perm, lite.Auth:
		return errorf(dataknobs.PermissionDenied, "%s: %s", f.name, e.Message)
	case lite.CantOpen:
		return f.cannotOpen(e)
	case lite.Corrupt:
		return errorf(dataknobs.DataLoss, "%s is damaged: %s", f.name, e.Message).
			WithHint(`make a copy, then save what can be read: sqlite3 %s .recover`, f.name)
	case lite.NotADB:
		return errorf(dataknobs.DataLoss, "%s is not an SQLite database, or is encrypted or damaged at its beginning", f.name).
			WithHint("is it the right file?")
	case lite.Full:
		return errorf(dataknobs.ResourceExhausted, "%s cannot grow: the disk is full, or the database has reached its own limit", f.name).
			WithHint("make room; nothing of the write was applied")
	case lite.TooBig:
		return errorf(dataknobs.ResourceExhausted, "a value is larger than SQLite can hold")
	case lite.NoMem:
		return errorf(dataknobs.ResourceExhausted, "SQLite is out of memory")
	case lite.IOErr:
		return errorf(dataknobs.Unavailable, "%s: reading or writing failed: %s (SQLite code %d)", f.name, e.Message, e.Code).
			WithHint("look at the disk")
	case lite.Constraint:
		return violation(e)
	case lite.Mismatch:
		return errorf(dataknobs.InvalidArgument, "a value is of another type than its column holds: %s", e.Message)
	case lite.Schema:
		return errorf(dataknobs.Unavailable, "%s: the tables are being changed by another program", f.name).WithHint("try again")
	case lite.General:
		return f.general(e)
	}
	return errorf(dataknobs.Internal, "%s: %s (SQLite code %d)", f.name, e.Message, e.Code)
}

// general is of the code that SQLite gives to whatever has no code of its own.
func (f *place) general(e *lite.Error) *dataknobs.Error {
	for _, gone := range []string{"no such table", "no such column", "has no column named", "no such rowid"} {
		if strings.Contains(e.Message, gone) {
			return dataknobs.Errorf(dataknobs.NotFound, "%s: %s", f.name, e.Message).
				WithHint("the database was changed since the store was opened: open it again")
		}
	}
	return dataknobs.Errorf(dataknobs.Internal, "%s: %s", f.name, e.Message)
}

// cannotOpen says why a file could not be opened: SQLite does not.
func (f *place) cannotOpen(e *lite.Error) *dataknobs.Error {
	errorf := dataknobs.Errorf
	if info, err := os.Stat(f.path); err == nil && info.IsDir() {
		return errorf(dataknobs.InvalidArgument, "%s is a folder, not a database", f.name)
	}
	if _, err := os.Stat(filepath.Dir(f.path)); errors.Is(err, os.ErrNotExist) {
		return errorf(dataknobs.NotFound, "%s: the folder %s does not exist", f.name, filepath.Dir(f.name)).
			WithHint("make the folder first")
	}
	if file, err := os.Open(f.path); err == nil {
		file.Close()
	} else if errors.Is(err, os.ErrPermission) {
		return errorf(dataknobs.PermissionDenied, "%s cannot be read: permission denied", f.name)
	} else if errors.Is(err, os.ErrNotExist) {
		return errorf(dataknobs.PermissionDenied, "%s cannot be made in its folder", f.name).
			WithHint("the folder must be writable for this user")
	}
	return errorf(dataknobs.PermissionDenied, "%s or a file beside it (-wal, -shm) cannot be opened: %s", f.name, e.Message).
		WithHint("the folder must be writable for this user")
}

// violation is of a constraint. SQLite's text names tables and columns, never
// values.
func violation(e *lite.Error) *dataknobs.Error {
	what, names, _ := strings.Cut(e.Message, " constraint failed")
	names = strings.TrimPrefix(names, ": ")
	errorf := dataknobs.Errorf
	switch what {
	case "NOT NULL":
		return errorf(dataknobs.InvalidArgument, "the field %s must have a value", fieldOf(names)).
			WithHint("the column %s is NOT NULL", names)
	case "UNIQUE":
		return errorf(dataknobs.Conflict, "another record has the same value of %s", fieldOf(names))
	case "FOREIGN KEY":
		return errorf(dataknobs.Conflict, "a record refers to one in another table that is not there, or is referred to")
	case "CHECK":
		return errorf(dataknobs.InvalidArgument, "the record breaks a rule of the table: CHECK %s", names)
	}
	if strings.HasPrefix(e.Message, "cannot store ") { // a STRICT table
		return errorf(dataknobs.InvalidArgument, "%s", e.Message)
	}
	return errorf(dataknobs.InvalidArgument, "the record breaks a rule of the table: %s", e.Message)
}

// fieldOf turns "people.name, people.age" into "name, age".
func fieldOf(columns string) string {
	parts := strings.Split(columns, ", ")
	for i, p := range parts {
		if at := strings.LastIndexByte(p, '.'); at >= 0 {
			parts[i] = p[at+1:]
		}
	}
	return strings.Join(parts, ", ")
}

// serialization asks for the transaction to be run again.
func serialization() *dataknobs.Error {
	e := dataknobs.Errorf(dataknobs.Conflict, "the transaction read what another one has changed since").WithHint("run it again")
	e.Err = serializationCause{}
	return e
}

// serializationCause is a cause without a text that is dataknobs.ErrSerialization.
type serializationCause struct{}

func (serializationCause) Error() string        { return "" }
func (serializationCause) Is(target error) bool { return target == dataknobs.ErrSerialization }

// codeOf returns SQLite's code of err; 0 if it has none.
func codeOf(err error) lite.Code {
	var e *lite.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
