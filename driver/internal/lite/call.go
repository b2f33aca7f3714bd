package lite

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A Call is one call of a function of ours by SQLite: its arguments, and where
// its result goes. It is valid during the call only.
type Call struct {
	tls  *libc.TLS
	ctx  uintptr
	argv uintptr
}

// Function makes f callable from SQL under that name with n arguments (-1: any
// number). It must return the same for the same arguments, and must not use the
// connection.
func (c *Conn) Function(name string, n int, f func(*Call)) error {
	z, err := libc.CString(name)
	if err != nil {
		return &Error{Code: NoMem, Message: "out of memory"}
	}
	defer libc.Xfree(c.tls, z)
	c.funcs = append(c.funcs, f)
	app := c.id<<8 | uintptr(len(c.funcs)-1)
	const flags = sqlite3.SQLITE_UTF8 | sqlite3.SQLITE_DETERMINISTIC | sqlite3.SQLITE_INNOCUOUS
	rc := sqlite3.Xsqlite3_create_function(c.tls, c.db, z, int32(n), flags, app, funcPointer(onCall), 0, 0)
	if rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}

func onCall(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	app := sqlite3.Xsqlite3_user_data(tls, ctx)
	c, ok := conns.Load(app >> 8)
	if !ok {
		return // null
	}
	c.(*Conn).funcs[app&0xff](&Call{tls, ctx, argv})
}

func (c *Call) arg(i int) uintptr {
	return *(*uintptr)(pointer(c.argv + uintptr(i)*unsafe.Sizeof(uintptr(0))))
}

// Kind is the kind of argument i.
func (c *Call) Kind(i int) Kind { return Kind(sqlite3.Xsqlite3_value_type(c.tls, c.arg(i))) }

// Int is argument i as an integer.
func (c *Call) Int(i int) int64 { return sqlite3.Xsqlite3_value_int64(c.tls, c.arg(i)) }

// Float is argument i as a float.
func (c *Call) Float(i int) float64 { return sqlite3.Xsqlite3_value_double(c.tls, c.arg(i)) }

// Raw is the text or blob of argument i, lent until the call returns.
func (c *Call) Raw(i int) []byte {
	v := c.arg(i)
	p := sqlite3.Xsqlite3_value_blob(c.tls, v)
	n := sqlite3.Xsqlite3_value_bytes(c.tls, v)
	if p == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(p)), int(n))
}

// Str is Raw as a string, lent just the same.
func (c *Call) Str(i int) string { return view(c.Raw(i)) }

// Bool makes the result 1 or 0.
func (c *Call) Bool(b bool) {
	var x int32
	if b {
		x = 1
	}
	sqlite3.Xsqlite3_result_int(c.tls, c.ctx, x)
}

// ReturnInt makes the result an integer.
func (c *Call) ReturnInt(x int64) { sqlite3.Xsqlite3_result_int64(c.tls, c.ctx, x) }

// ReturnBlob makes the result a blob.
func (c *Call) ReturnBlob(b []byte) {
	if len(b) == 0 {
		sqlite3.Xsqlite3_result_zeroblob(c.tls, c.ctx, 0)
		return
	}
	p := libc.Xmalloc(c.tls, size(len(b)))
	if p == 0 {
		sqlite3.Xsqlite3_result_error_nomem(c.tls, c.ctx)
		return
	}
	copy(unsafe.Slice((*byte)(pointer(p)), len(b)), b)
	sqlite3.Xsqlite3_result_blob(c.tls, c.ctx, p, int32(len(b)), sqlite3.SQLITE_TRANSIENT)
	libc.Xfree(c.tls, p)
}

// ReturnText makes the result a text.
func (c *Call) ReturnText(s string) {
	p := libc.Xmalloc(c.tls, size(len(s)+1))
	if p == 0 {
		sqlite3.Xsqlite3_result_error_nomem(c.tls, c.ctx)
		return
	}
	copy(unsafe.Slice((*byte)(pointer(p)), len(s)), s)
	sqlite3.Xsqlite3_result_text(c.tls, c.ctx, p, int32(len(s)), sqlite3.SQLITE_TRANSIENT)
	libc.Xfree(c.tls, p)
}

// Fail makes the statement end with an error of that text.
func (c *Call) Fail(text string) {
	z, err := libc.CString(text)
	if err != nil {
		sqlite3.Xsqlite3_result_error_nomem(c.tls, c.ctx)
		return
	}
	sqlite3.Xsqlite3_result_error(c.tls, c.ctx, z, -1)
	libc.Xfree(c.tls, z)
}
