package hostile

import (
	"encoding/binary"
	"strings"
)

// A Message is what a PostgreSQL server says in place of one of its messages.
type Message struct {
	Name string
	// Do is what the store is asked meanwhile: open, get, all, count, put.
	Do string
	// At is the type of the message that is replaced, the first of its kind; 0: the
	// first of a new connection.
	At      byte
	Send    string
	Forever bool // Send is sent again and again
	Silent  bool // after Send nothing follows; else the connection ends
	// Want is the code of the error; "deadline" where it is that of the context.
	Want string
}

// Postgres are lies of a server that should be one. The table holds one record, x.
var Postgres = []Message{
	{Name: "nothing", Do: "open", Want: unavailable},
	{Name: "silence", Do: "open", Silent: true, Want: deadline},
	{Name: "HTTP", Do: "open", Send: "HTTP/1.1 400 Bad Request\r\n\r\n" + page, Want: unavailable},
	{Name: "zeroes", Do: "open", Send: strings.Repeat("\x00", 100), Want: unavailable},
	{Name: "a message of negative length", Do: "open", Send: "R\xff\xff\xff\xff", Want: unavailable},
	{Name: "a message of no length", Do: "open", Send: "R\x00\x00\x00\x00", Want: unavailable},
	{Name: "a message of 2 GiB", Do: "open", Send: "R\x7f\xff\xff\xff", Silent: true, Want: unavailable},
	{Name: "a message of 512 MiB", Do: "open", Send: "E\x20\x00\x00\x00", Silent: true, Want: unavailable},
	{Name: "a way to log in that is none", Do: "open", Send: message('R', "\x00\x00\x00\x63"), Want: unavailable},
	{Name: "a way to log in that is cut", Do: "open", Send: message('R', "\x00"), Want: unavailable},
	{Name: "Kerberos", Do: "open", Send: message('R', "\x00\x00\x00\x02"), Want: unavailable},
	{Name: "a proof that is none", Do: "open", Send: message('R', "\x00\x00\x00\x0aPLAIN\x00\x00"), Want: unavailable},
	{Name: "a challenge nobody asked for", Do: "open", Send: message('R', "\x00\x00\x00\x0br=x,s=y,i=1"), Want: unavailable},
	{Name: "no password wanted, and then nothing", Do: "open", Send: message('R', "\x00\x00\x00\x00"), Silent: true, Want: deadline},
	{Name: "notices for ever", Do: "open", Send: message('N', "SNOTICE\x00C00000\x00Mx\x00\x00"), Forever: true, Want: deadline},
	{Name: "settings for ever", Do: "open", Send: message('R', "\x00\x00\x00\x00") + message('S', "a\x00b\x00"), Forever: true, Want: deadline},
	{Name: "an error without fields", Do: "open", Send: message('E', "\x00"), Want: internal},
	{Name: "an error that is cut", Do: "open", Send: message('E', "SFATAL"), Want: unavailable},
	{Name: "a row without columns", Do: "get", At: 'D', Send: message('D', "\x00\x00") + end, Want: either},
	{Name: "a row of negative columns", Do: "get", At: 'D', Send: message('D', "\xff\xff"), Want: internal},
	{Name: "a row of too many columns", Do: "get", At: 'D', Send: message('D', "\x00\x09"+strings.Repeat("\xff\xff\xff\xff", 9)) + end, Want: either},
	{Name: "a column longer than its row", Do: "get", At: 'D', Send: message('D', "\x00\x01\x7f\xff\xff\xff"), Want: internal},
	{Name: "a column of negative length", Do: "get", At: 'D', Send: message('D', "\x00\x01\xff\xff\xff\xfe"), Want: internal},
	{Name: "a row of 2 GiB", Do: "get", At: 'D', Send: "D\x7f\xff\xff\xff", Want: internal},
	{Name: "columns that are cut", Do: "open", At: 'T', Send: message('T', "\x00\x05x"), Want: either},
	{Name: "a message that is none", Do: "get", At: 'D', Send: message('y', "x"), Want: internal},
	{Name: "rows for ever, without columns", Do: "all", At: 'D', Send: message('D', "\x00\x00"), Forever: true, Want: either},
	{Name: "notices for ever in a scan", Do: "all", At: 'D', Send: message('N', "SNOTICE\x00C00000\x00Mx\x00\x00"), Forever: true, Want: deadline},
	{Name: "silence in a scan", Do: "all", At: 'D', Silent: true, Want: deadline},
	{Name: "the end of the connection in a scan", Do: "all", At: 'D', Want: unavailable},
	{Name: "a count that is text", Do: "count", At: 'D', Send: message('D', "\x00\x01\x00\x00\x00\x01x") + end, Want: either},
	{Name: "a count below zero", Do: "count", At: 'D', Send: message('D', "\x00\x01\x00\x00\x00\x02-5") + end, Want: either},
	{Name: "no count", Do: "count", At: 'D', Send: end, Want: either},
	{Name: "silence for a write", Do: "put", At: 'C', Silent: true, Want: deadline},
	{Name: "the end of the connection for a write", Do: "put", At: 'C', Want: unavailable},
	{Name: "garbage for a write", Do: "put", At: 'C', Send: page, Want: unavailable},
	{Name: "an error without fields for a write", Do: "put", At: 'C', Send: message('E', "\x00"), Want: internal},
}

// either: by whether the client finds the connection closed before it asks again.
const either = internal + " or " + unavailable

// end is what follows the last row.
var end = message('C', "SELECT 1\x00") + message('Z', "I")

func message(kind byte, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body)))) + body
}
