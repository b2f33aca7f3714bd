// Package lite is a thin binding of SQLite as modernc.org/sqlite translates it
// to Go: connections, kept statements, and functions of ours, with the values of
// columns lent from SQLite's own memory instead of copied.
//
// The database/sql form of modernc.org/sqlite starts a goroutine for each
// statement that can be cancelled, and copies and boxes each column of each row;
// this one asks the context from SQLite's own callbacks and does neither.
//
// A Conn and its statements are used by one goroutine at a time.
package lite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

func init() { sqlite3.PatchIssue199() }

// Flags say how a connection is opened.
type Flags int32

// The flags.
const (
	ReadOnly  Flags = sqlite3.SQLITE_OPEN_READONLY
	ReadWrite Flags = sqlite3.SQLITE_OPEN_READWRITE
	Create    Flags = sqlite3.SQLITE_OPEN_CREATE | ReadWrite
	// URI: the name is a URI such as file:a%20b.db?immutable=1.
	URI Flags = sqlite3.SQLITE_OPEN_URI
)

// keptStatements is how many prepared statements a connection keeps.
const keptStatements = 64

// progressSteps is after how many steps of SQLite's machine the context is
// looked at: some tens of microseconds.
const progressSteps = 2000

// A Conn is one connection.
type Conn struct {
	tls  *libc.TLS
	db   uintptr
	id   uintptr
	out  uintptr // memory of 16 bytes for what SQLite returns through pointers
	kept map[string]*Stmt
	ages []string // the texts of kept, the least recently prepared first
	free arena    // the arena of a closed statement, for the next one

	ctx    context.Context // of the call under way
	done   <-chan struct{} // ctx.Done()
	busy   time.Duration   // how long to wait for another connection's lock
	funcs  []func(*Call)
	waited time.Duration // how long the call under way has waited for locks
}

// conns finds the connection that a callback is about.
var (
	conns  sync.Map // uintptr → *Conn
	lastID atomic.Uintptr
)

// Open opens the database of that name, which is a path unless flags has URI.
// busy is how long statements wait for the locks of other connections.
func Open(name string, flags Flags, busy time.Duration) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS(), id: lastID.Add(1), kept: map[string]*Stmt{}, busy: busy}
	c.out = c.malloc(16)
	z, err := libc.CString(name)
	if err != nil {
		c.tls.Close()
		return nil, &Error{Code: NoMem, Message: "out of memory"}
	}
	defer libc.Xfree(c.tls, z)
	// One goroutine at a time uses a connection, so it needs no mutex.
	const always = sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_EXRESCODE
	rc := sqlite3.Xsqlite3_open_v2(c.tls, z, c.out, int32(flags)|always, 0)
	c.db = *(*uintptr)(pointer(c.out))
	if rc != sqlite3.SQLITE_OK {
		err := c.error(rc)
		c.Close()
		return nil, err
	}
	conns.Store(c.id, c)
	sqlite3.Xsqlite3_busy_handler(c.tls, c.db, funcPointer(onBusy), c.id)
	sqlite3.Xsqlite3_progress_handler(c.tls, c.db, progressSteps, funcPointer(onProgress), c.id)
	return c, nil
}

// Close frees the connection and the statements that it keeps. Statements that
// are still in use must have been released before.
func (c *Conn) Close() {
	if c.tls == nil {
		return
	}
	for _, s := range c.kept {
		s.finalize()
	}
	c.free.release(c)
	if c.db != 0 {
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	}
	libc.Xfree(c.tls, c.out)
	conns.Delete(c.id)
	c.tls.Close()
	c.tls, c.db, c.kept = nil, 0, nil
}

// Use makes ctx the context that the statements run under from now on: they
// end with its error soon after it is done.
func (c *Conn) Use(ctx context.Context) { c.ctx, c.done, c.waited = ctx, ctx.Done(), 0 }

// cancelled reports whether the context of the call under way is done.
func (c *Conn) cancelled() bool {
	if c.done == nil {
		return false
	}
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// onProgress ends the statement under way once its context is done.
func onProgress(_ *libc.TLS, id uintptr) int32 {
	if c, ok := conns.Load(id); ok && c.(*Conn).cancelled() {
		return 1
	}
	return 0
}

// onBusy waits a little for another connection's lock; 0 gives up.
func onBusy(_ *libc.TLS, id uintptr, count int32) int32 {
	x, ok := conns.Load(id)
	if !ok {
		return 0
	}
	c := x.(*Conn)
	wait := min(100*time.Microsecond<<min(count, 7), c.busy-c.waited)
	if wait <= 0 {
		return 0
	}
	c.waited += wait
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-c.done:
		return 0
	case <-t.C:
		return 1
	}
}

// Changes is how many rows the last finished INSERT, UPDATE or DELETE changed
// by itself, without its triggers.
func (c *Conn) Changes() int64 { return sqlite3.Xsqlite3_changes64(c.tls, c.db) }

// Autocommit reports whether no transaction is open: SQLite ends one by itself
// after some errors.
func (c *Conn) Autocommit() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) != 0 }

// IsReadOnly reports whether the database was opened for reading only, be it
// because the file cannot be written.
func (c *Conn) IsReadOnly() bool { return sqlite3.Xsqlite3_db_readonly(c.tls, c.db, 0) == 1 }

// A Checkpoint says how far the write-ahead log got into the database file.
type Checkpoint struct {
	Log  int // pages in the log
	Done int // of them, those that are in the file
}

// Checkpoint moves the write-ahead log into the database file: all of it, with
// the log emptied, if whole, else as much as is possible without waiting.
func (c *Conn) Checkpoint(whole bool) (Checkpoint, error) {
	mode := int32(sqlite3.SQLITE_CHECKPOINT_PASSIVE)
	if whole {
		mode = sqlite3.SQLITE_CHECKPOINT_TRUNCATE
	}
	rc := sqlite3.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, mode, c.out, c.out+8)
	cp := Checkpoint{int(*(*int32)(pointer(c.out))), int(*(*int32)(pointer(c.out + 8)))}
	if rc != sqlite3.SQLITE_OK {
		return cp, c.error(rc)
	}
	return cp, nil
}

// Exec runs statements without parameters and without looking at their rows.
func (c *Conn) Exec(sql string) error {
	s, err := c.prepare(sql, 0)
	if err != nil {
		return err
	}
	defer s.finalize()
	for {
		row, err := s.Step()
		if err != nil || !row {
			return err
		}
	}
}

func (c *Conn) malloc(n int) uintptr {
	p := libc.Xmalloc(c.tls, size(n))
	if p == 0 {
		panic("lite: out of memory")
	}
	return p
}

// pointer turns an address outside the Go heap into a pointer.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// funcPointer is what the translated C calls a function by. f is a declared
// function, never a closure.
func funcPointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

// LastRowID is the rowid of the last row that was inserted.
func (c *Conn) LastRowID() int64 { return sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.db) }

// Collation is the name of the collation of a table's column, such as BINARY;
// "" where it is not known, as of a view's.
func (c *Conn) Collation(table, column string) string {
	t, err := libc.CString(table)
	if err != nil {
		return ""
	}
	defer libc.Xfree(c.tls, t)
	n, err := libc.CString(column)
	if err != nil {
		return ""
	}
	defer libc.Xfree(c.tls, n)
	if sqlite3.Xsqlite3_table_column_metadata(c.tls, c.db, 0, t, n, 0, c.out, 0, 0, 0) != sqlite3.SQLITE_OK {
		return ""
	}
	return libc.GoString(*(*uintptr)(pointer(c.out)))
}
