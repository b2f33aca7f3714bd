package lite

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A Stmt is a prepared statement.
type Stmt struct {
	c     *Conn
	p     uintptr
	sql   string
	in    arena // what text and blob parameters are bound to
	inUse bool
	kept  bool
	again bool // it was asked for since it was last passed over
}

// Prepare returns a statement for sql, which is one statement: one that the
// connection keeps, or a new one. Release gives it back.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	if s := c.kept[sql]; s != nil && !s.inUse {
		s.inUse, s.again = true, true
		return s, nil
	}
	s, err := c.prepare(sql, sqlite3.SQLITE_PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	s.inUse = true
	if c.kept[sql] == nil && len(sql) <= longestKept {
		c.keep(s)
	}
	return s, nil
}

// longestKept is the longest text of a statement that is kept: beyond it are
// long lists, which do not come again.
const longestKept = 8 << 10

// keep remembers s, at the cost of the one prepared longest ago that was not
// asked for since.
func (c *Conn) keep(s *Stmt) {
	for tries := 2 * len(c.ages); len(c.ages) >= keptStatements && tries > 0; tries-- {
		old := c.kept[c.ages[0]]
		c.ages = append(c.ages[:0], c.ages[1:]...)
		if old.inUse || old.again {
			old.again = false
			c.ages = append(c.ages, old.sql)
			continue
		}
		delete(c.kept, old.sql)
		old.finalize()
	}
	s.kept = true
	c.kept[s.sql] = s
	c.ages = append(c.ages, s.sql)
}

func (c *Conn) prepare(sql string, flags uint32) (*Stmt, error) {
	z := c.malloc(len(sql) + 1)
	defer libc.Xfree(c.tls, z)
	mem := unsafe.Slice((*byte)(pointer(z)), len(sql)+1)
	copy(mem, sql)
	mem[len(sql)] = 0
	rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, z, int32(len(sql)+1), flags, c.out, 0)
	if rc != sqlite3.SQLITE_OK {
		return nil, c.error(rc)
	}
	s := &Stmt{c: c, p: *(*uintptr)(pointer(c.out)), sql: sql, in: c.free}
	c.free = arena{}
	return s, nil
}

// Release gives the statement back; it is not used afterwards.
func (s *Stmt) Release() {
	if !s.inUse {
		return
	}
	s.inUse = false
	sqlite3.Xsqlite3_reset(s.c.tls, s.p)
	if !s.kept {
		s.finalize()
		return
	}
	if s.in.size > 1<<20 { // do not keep what one huge record took
		sqlite3.Xsqlite3_clear_bindings(s.c.tls, s.p)
		s.in.release(s.c)
	}
	s.in.used = 0
}

func (s *Stmt) finalize() {
	sqlite3.Xsqlite3_finalize(s.c.tls, s.p)
	if s.c.free.p == 0 && s.in.size <= 1<<20 {
		s.c.free, s.in = s.in, arena{}
		s.c.free.used = 0
	}
	s.in.release(s.c)
	s.p = 0
}

// Reset makes the statement ready to be bound and run again.
func (s *Stmt) Reset() {
	sqlite3.Xsqlite3_reset(s.c.tls, s.p)
	s.in.used = 0
}

// Step runs the statement up to its next row; false: it has ended.
func (s *Stmt) Step() (row bool, err error) {
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.p); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.error(rc)
	}
}

// Run runs a statement whose rows nobody wants to its end and resets it.
func (s *Stmt) Run() error {
	for {
		row, err := s.Step()
		if err != nil || !row {
			s.Reset()
			return err
		}
	}
}

// A Kind is the kind of one value in SQLite.
type Kind uint8

// The kinds.
const (
	Integer Kind = sqlite3.SQLITE_INTEGER
	Real    Kind = sqlite3.SQLITE_FLOAT
	Text    Kind = sqlite3.SQLITE_TEXT
	Blob    Kind = sqlite3.SQLITE_BLOB
	Null    Kind = sqlite3.SQLITE_NULL
)

// Kind is the kind of the value in column i of the row.
func (s *Stmt) Kind(i int) Kind { return Kind(sqlite3.Xsqlite3_column_type(s.c.tls, s.p, int32(i))) }

// Int is the value in column i as an integer.
func (s *Stmt) Int(i int) int64 { return sqlite3.Xsqlite3_column_int64(s.c.tls, s.p, int32(i)) }

// Float is the value in column i as a float.
func (s *Stmt) Float(i int) float64 { return sqlite3.Xsqlite3_column_double(s.c.tls, s.p, int32(i)) }

// Raw is the text or the blob in column i, lent until the next Step, Reset or
// Release: nobody may change or keep it.
func (s *Stmt) Raw(i int) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.c.tls, s.p, int32(i))
	n := sqlite3.Xsqlite3_column_bytes(s.c.tls, s.p, int32(i))
	if p == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(p)), int(n))
}

// Str is the text in column i, as a copy.
func (s *Stmt) Str(i int) string { return string(s.Raw(i)) }

// BindNull, BindInt, BindFloat, BindText and BindBlob set parameter i, from 1.
// Texts and blobs are copied.
func (s *Stmt) BindNull(i int) error {
	return s.check(sqlite3.Xsqlite3_bind_null(s.c.tls, s.p, int32(i)))
}

// BindInt: see BindNull.
func (s *Stmt) BindInt(i int, x int64) error {
	return s.check(sqlite3.Xsqlite3_bind_int64(s.c.tls, s.p, int32(i), x))
}

// BindFloat: see BindNull.
func (s *Stmt) BindFloat(i int, x float64) error {
	return s.check(sqlite3.Xsqlite3_bind_double(s.c.tls, s.p, int32(i), x))
}

// BindText: see BindNull.
func (s *Stmt) BindText(i int, x string) error {
	return s.check(sqlite3.Xsqlite3_bind_text(s.c.tls, s.p, int32(i), s.in.put(s, x), int32(len(x)), 0))
}

// BindRaw is BindText of bytes.
func (s *Stmt) BindRaw(i int, x []byte) error { return s.BindText(i, view(x)) }

// BindBlob: see BindNull.
func (s *Stmt) BindBlob(i int, x []byte) error {
	return s.check(sqlite3.Xsqlite3_bind_blob(s.c.tls, s.p, int32(i), s.in.put(s, view(x)), int32(len(x)), 0))
}

// Bind sets parameter i to one of nil, bool, int, int64, float64, string and []byte.
func (s *Stmt) Bind(i int, x any) error {
	switch x := x.(type) {
	case nil:
		return s.BindNull(i)
	case bool:
		if x {
			return s.BindInt(i, 1)
		}
		return s.BindInt(i, 0)
	case int:
		return s.BindInt(i, int64(x))
	case int64:
		return s.BindInt(i, x)
	case float64:
		return s.BindFloat(i, x)
	case string:
		return s.BindText(i, x)
	case []byte:
		return s.BindBlob(i, x)
	}
	return errType
}

var errType = &Error{Code: Misuse, Message: "a parameter of a Go type that SQLite does not know"}

// BindAll sets the parameters from the first.
func (s *Stmt) BindAll(args []any) error {
	for i, x := range args {
		if err := s.Bind(i+1, x); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stmt) check(rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	return s.c.error(rc)
}

// view is b as a string, without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// An arena is memory outside the Go heap for the parameters of a statement:
// used again for every run, so that binding allocates nothing.
type arena struct {
	p          uintptr
	size, used int
	more       []uintptr // for what did not fit; freed by the next put after a reset
}

// put copies x into the arena and returns its address.
func (a *arena) put(s *Stmt, x string) uintptr {
	if a.used == 0 {
		a.shed(s.c)
		if a.size < max(len(x), 1) { // the address of an empty text is not 0 either, which would mean null
			libc.Xfree(s.c.tls, a.p)
			a.size = max(256, 2*len(x))
			a.p = s.c.malloc(a.size)
		}
	}
	p := a.p + uintptr(a.used)
	if a.size-a.used < max(len(x), 1) {
		p = s.c.malloc(max(len(x), 1))
		a.more = append(a.more, p)
	} else {
		a.used += max(len(x), 1)
	}
	copy(unsafe.Slice((*byte)(pointer(p)), len(x)), x)
	return p
}

// shed frees what did not fit, and makes the arena larger so that it fits.
func (a *arena) shed(c *Conn) {
	if len(a.more) == 0 {
		return
	}
	for _, p := range a.more {
		libc.Xfree(c.tls, p)
	}
	a.more = a.more[:0]
	libc.Xfree(c.tls, a.p)
	a.size *= 4
	a.p = c.malloc(a.size)
}

func (a *arena) release(c *Conn) {
	for _, p := range a.more {
		libc.Xfree(c.tls, p)
	}
	if a.p != 0 {
		libc.Xfree(c.tls, a.p)
	}
	*a = arena{}
}

// Stats are what a statement has cost since it was prepared.
type Stats struct {
	FullScanSteps int64 // rows read without an index
	Sorts         int64
	AutoIndexed   int64 // rows put into an index made for the statement
	Steps         int64 // of SQLite's virtual machine
}

// Stats returns what the statement has cost so far.
func (s *Stmt) Stats() Stats {
	get := func(op int32) int64 { return int64(sqlite3.Xsqlite3_stmt_status(s.c.tls, s.p, op, 0)) }
	return Stats{
		FullScanSteps: get(sqlite3.SQLITE_STMTSTATUS_FULLSCAN_STEP), Sorts: get(sqlite3.SQLITE_STMTSTATUS_SORT),
		AutoIndexed: get(sqlite3.SQLITE_STMTSTATUS_AUTOINDEX), Steps: get(sqlite3.SQLITE_STMTSTATUS_VM_STEP),
	}
}
