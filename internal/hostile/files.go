package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const mib = 1 << 20

// JSON are files of one JSON text.
var JSON = inFile("x.json", []Case{
	{Name: "nothing", Make: text(""), Answer: "0"},
	{Name: "blanks", Make: text(" \n\t "), Answer: "0"},
	{Name: "a byte order mark alone", Make: text("\ufeff"), Answer: "0"},
	{Name: "a byte order mark twice", Make: text("\ufeff\ufeff[]"), Want: lost},
	{Name: "UTF-16", Make: text("\xff\xfe[\x00]\x00"), Want: lost},
	{Name: "NULs", Make: times("\x00", 100), Want: lost},
	{Name: "a NUL in a string", Make: text(`[{"a":"x\u0000y"}]`), Want: lost},
	{Name: "a NUL in a name", Make: text(`[{"a\u0000":1}]`), Want: lost},
	{Name: "a bare control character", Make: text("[{\"a\":\"x\x01y\"}]"), Want: lost},
	{Name: "no UTF-8", Make: text("[{\"a\":\"\xff\xfe\"}]"), Want: lost},
	{Name: "half a surrogate", Make: text(`[{"a":"\ud83d"}]`), Want: lost},
	{Name: "a surrogate half escaped", Make: text(`[{"a":"\ud83d\u0041"}]`), Want: lost},
	{Name: "cut in a string", Make: text(`[{"a":"x`), Want: lost},
	{Name: "cut in an escape", Make: text(`[{"a":"x\u00`), Want: lost},
	{Name: "cut after a record", Make: text(`[{"a":1},`), Want: lost},
	{Name: "cut before the end", Make: text(`[{"a":1}`), Want: lost},
	{Name: "text after the end", Make: text(`[{"a":1}] x`), Want: lost},
	{Name: "two arrays", Make: text(`[{"a":1}][{"a":2}]`), Want: lost},
	{Name: "a comma too many", Make: text(`[{"a":1},]`), Want: lost},
	{Name: "a comment", Make: text(`[{"a":1}/* x */]`), Want: lost},
	{Name: "NaN", Make: text(`[{"a":NaN}]`), Want: lost},
	{Name: "1e999", Make: text(`[{"a":1e999}]`), Want: lost},
	{Name: "a leading zero", Make: text(`[{"a":01}]`), Want: lost},
	{Name: "an integer of 20 digits", Make: text(`[{"a":99999999999999999999}]`), Want: lost},
	{Name: "an integer of a million digits", Make: join(text(`[{"a":`), times("9", mib), text(`}]`)), Want: lost},
	{Name: "a fraction of a million digits", Make: join(text(`[{"a":0.`), times("9", mib), text(`}]`)), Answer: "1"},
	{Name: "a name twice", Make: text(`[{"a":1,"a":2}]`), Want: lost},
	{Name: "a name twice, once escaped", Make: text(`[{"a":1,"\u0061":2}]`), Want: lost},
	{Name: "an empty name", Make: text(`[{"":1}]`), Want: lost},
	{Name: "a name of a mebibyte", Make: join(text(`[{"`), times("x", mib), text(`":1}]`)), Want: lost},
	{Name: "records that are none", Make: text(`[1,"x",null]`), Want: lost},
	{Name: "a number", Make: text("12"), Want: lost},
	{Name: "arrays a million deep", Make: times("[", mib), Want: lost},
	{Name: "objects a million deep", Make: times(`{"a":`, mib), Want: lost},
	{Name: "a record 65 deep", Make: join(text(`[{"a":`), around("[", 64, "", "]"), text(`}]`)), Want: lost},
	{Name: "a record 64 deep", Make: join(text(`[{"a":`), around("[", 63, "", "]"), text(`}]`)), Answer: "1"},
	{Name: "a hundred thousand fields", Make: manyFields(100_000, `"f%d":1`, "[{", ",", "}]"), Answer: "1"},
	{Name: "a hundred thousand names that hash alike", Make: manyFields(100_000, `"%032b":1`, "[{", ",", "}]"), Answer: "1"},
	{Name: "a string that never ends", Make: join(text(`[{"a":"`), times("x", 80*mib)), Want: exhausted},
	{Name: "a record of 80 MiB", Make: join(text(`[{"a":"`), times("x", 80*mib), text(`"}]`)), Want: exhausted},
	{Name: "blanks of 80 MiB", Make: times(" ", 80*mib), Answer: "0"},
	{Name: "two records of one ID", Make: text(`[{"_id":"1"},{"_id":"1"}]`), Answer: "2"},
	{Name: "an ID of a mebibyte", Make: join(text(`[{"_id":"`), times("x", mib), text(`"}]`)), Answer: "1"},
	{Name: "fields called id", Make: text(`[{"id":1},{"id":1}]`), Answer: "2"},
	{Name: "a prototype", Make: text(`[{"__proto__":{"a":1},"constructor":1}]`), Answer: "1"},
	{Name: "HTML", Make: text("<html><script>alert(1)</script></html>"), Want: lost},
	{Name: "gzip in a plain file", Make: squeezed(text("[]")), Want: lost},
})

// Lines are files of a JSON object in each line.
var Lines = inFile("x.ndjson", []Case{
	{Name: "nothing", Make: text(""), Answer: "0"},
	{Name: "blank lines", Make: times("\n", 100_000), Answer: "0"},
	{Name: "a line that never ends", Make: times(`{"a":1} `, 100_000), Want: lost},
	{Name: "a string of 80 MiB without an end", Make: join(text(`{"a":"`), times("x", 80*mib)), Want: exhausted},
	{Name: "the last line cut", Make: text("{\"a\":1}\n{\"a\":"), Want: lost},
	{Name: "a broken line between others", Make: text("{\"a\":1}\n{a}\n{\"a\":2}\n"), Want: lost},
	{Name: "a record over two lines", Make: text("{\"a\":\n1}\n"), Want: lost},
	{Name: "CR alone", Make: text("{\"a\":1}\r{\"a\":2}\r"), Want: lost},
	{Name: "NULs behind the records", Make: text("{\"a\":1}\n\x00\x00\x00\x00"), Want: lost},
	{Name: "an array", Make: text("[1]\n"), Want: lost},
	{Name: "a line separator of Unicode", Make: text("{\"a\":1}\u2028{\"a\":2}"), Want: lost},
	{Name: "a byte order mark on the second line", Make: text("{\"a\":1}\n\ufeff{\"a\":2}"), Want: lost},
	{Name: "10,000 records of other fields each", Make: otherFields(10_000), Answer: "10000"},
	{Name: "a wrapper with a bad time", Make: text(`{"_id":"x","a":{"$time":"never"}}`), Answer: "1"},
	{Name: "an ID that is an object", Make: text(`{"_id":{}}`), Answer: "1"},
	{Name: "metadata that is none", Make: text(`{"_id":"x","_meta":7}`), Want: lost},
})

// CSV are files of rows.
var CSV = inFile("x.csv", []Case{
	{Name: "nothing", Make: text(""), Answer: "0"},
	{Name: "a byte order mark alone", Make: text("\ufeff"), Answer: "0"},
	{Name: "a header alone", Make: text("a,b"), Answer: "0"},
	{Name: "an empty name", Make: text("a,,c\n1,2,3\n"), Answer: "1"},
	{Name: "a name twice", Make: text("a,a\n1,2\n"), Answer: "1"},
	{Name: "a short row", Make: text("a,b\n1\n"), Want: lost},
	{Name: "a long row", Make: text("a,b\n1,2,3\n"), Want: lost},
	{Name: "a quote that never ends", Make: text("a,b\n\"1,2\n"), Want: lost},
	{Name: "a quote of 80 MiB that never ends", Make: join(text("a,b\n\""), times("x\n", 40*mib)), Want: exhausted},
	{Name: "a quote inside a cell", Make: text("a,b\n1\"2,3\n"), Want: lost},
	{Name: "text after a quote", Make: text("a,b\n\"1\"2,3\n"), Want: lost},
	{Name: "a NUL", Make: text("a,b\n1,\x00\n"), Want: lost},
	{Name: "no UTF-8", Make: text("a,b\n1,\xff\n"), Want: lost},
	{Name: "UTF-16", Make: text("\xff\xfea\x00,\x00b\x00"), Want: lost},
	{Name: "CR alone", Make: text("a,b\r1,2\r"), Want: lost},
	{Name: "100,000 columns", Make: join(times("a,", 100_000), text("a\n"), times("1,", 100_000), text("1\n")), Answer: "1"},
	{Name: "a million commas", Make: times(",", mib), Answer: "0"},
	{Name: "a name of a mebibyte", Make: join(times("x", mib), text(",b\n1,2\n")), Want: lost},
	{Name: "a cell of 80 MiB", Make: join(text("a,b\n1,"), times("x", 80*mib), text("\n")), Want: exhausted},
	{Name: "an integer of a million digits", Make: join(text("a,b\n1,"), times("9", mib), text("\n")), Answer: "1"},
	{Name: "formulas", Make: text("a,b\n=1+1,\"=cmd|' /C calc'!A0\"\n"), Answer: "1"},
	{Name: "two rows of one ID", Make: text("id,b\n1,2\n1,3\n"), Answer: "2"},
	{Name: "a system name", Make: text("_rev,b\n1,2\n"), Answer: "1"},
	{Name: "Parquet in a CSV file", Make: text("PAR1\x00\x00\x00\x00PAR1"), Want: lost},
})

// Parquet are files that claim to be Parquet.
var Parquet = inFile("x.parquet", []Case{
	{Name: "nothing", Make: text(""), Answer: "0"},
	{Name: "text", Make: text("a,b\n1,2\n"), Want: lost},
	{Name: "the magic alone", Make: text("PAR1"), Want: lost},
	{Name: "both magics alone", Make: text("PAR1PAR1"), Want: lost},
	{Name: "an empty footer", Make: text("PAR1\x00\x00\x00\x00PAR1"), Want: lost},
	{Name: "a footer of 2 GiB", Make: text("PAR1xxxx\xff\xff\xff\x7fPAR1"), Want: lost},
	{Name: "a footer of negative length", Make: text("PAR1xxxx\xff\xff\xff\xffPAR1"), Want: lost},
	{Name: "an encrypted footer", Make: text("PAREPAR1\x04\x00\x00\x00PARE"), Want: lost},
	{Name: "zeroes for a footer", Make: join(text("PAR1"), times("\x00", 100), text("\x64\x00\x00\x00PAR1")), Want: lost},
	{Name: "lists of 2 billion in the footer", Make: text("PAR1\x29\xfc\xff\xff\xff\xff\x0f\x06\x00\x00\x00PAR1"), Want: lost},
	{Name: "a string of 4 GiB in the footer", Make: text("PAR1\x18\xff\xff\xff\xff\x0f\x06\x00\x00\x00PAR1"), Want: lost},
	{Name: "structures without end in the footer", Make: nestedThrift, Want: lost},
	{Name: "rows without columns", Make: text("PAR1\x15\x02\x19\x1c\x48\x01m\x15\x00\x00\x16\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x19\x0c\x00\x16\x00\x00\x00PAR1"), Want: lost},
})

// Compressed are files that claim to be compressed.
var Compressed = []Case{
	{Name: "a bomb: 100 MiB of blanks", File: "x.json.gz", Make: squeezed(times(" ", 100*mib)), Answer: "0"},
	{Name: "a bomb: 100 MiB of one record", File: "x.json.gz", Make: squeezed(join(text(`[{"a":"`), times("x", 100*mib), text(`"}]`))), Want: exhausted},
	{Name: "a bomb: 100 MiB of one row", File: "x.csv.gz", Make: squeezed(join(text("a,b\n1,"), times("x", 100*mib))), Want: exhausted},
	{Name: "a bomb of zstd", File: "x.json.zst", Make: zstandard(join(text(`[{"a":"`), times("x", 100*mib), text(`"}]`))), Want: exhausted},
	{Name: "a bomb in a bomb", File: "x.json.gz", Make: squeezed(squeezed(times(" ", 10*mib))), Want: lost},
	{Name: "cut", File: "x.json.gz", Make: cut(squeezed(times(`{"a":1}`, 1000)), 10), Want: lost},
	{Name: "cut in the header", File: "x.json.gz", Make: text("\x1f\x8b\x08"), Want: lost},
	{Name: "a checksum that is wrong", File: "x.json.gz", Make: bent(squeezed(text("[]")), 8), Want: lost},
	{Name: "a length that is wrong", File: "x.json.gz", Make: bent(squeezed(text("[]")), 1), Want: lost},
	{Name: "garbage behind it", File: "x.json.gz", Make: join(squeezed(text("[]")), text("garbage")), Want: lost},
	{Name: "two parts", File: "x.ndjson.gz", Make: join(squeezed(text("{\"a\":1}\n")), squeezed(text("{\"a\":2}\n"))), Answer: "2"},
	{Name: "plain text named gzip", File: "x.json.gz", Make: text("[]"), Want: lost},
	{Name: "gzip named zstd", File: "x.json.zst", Make: squeezed(text("[]")), Want: lost},
	{Name: "a window of 2 GiB", File: "x.json.zst", Make: text("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"), Want: lost},
	{Name: "a content of 16 EiB", File: "x.json.zst", Make: text("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00"), Want: lost},
	{Name: "a frame to be skipped of 4 GiB", File: "x.json.zst", Make: text("\x50\x2a\x4d\x18\xff\xff\xff\xff"), Want: lost},
}

func inFile(name string, cases []Case) []Case {
	for i := range cases {
		cases[i].File = name
	}
	return cases
}

// manyFields writes n fields by a format, which takes their number.
func manyFields(n int, format, opens, between, closes string) func() string {
	return func() string {
		var b strings.Builder
		b.WriteString(opens)
		for i := range n {
			if i > 0 {
				b.WriteString(between)
			}
			fmt.Fprintf(&b, format, i)
		}
		b.WriteString(closes)
		return b.String()
	}
}

func otherFields(n int) func() string {
	return manyFields(n, `{"_id":"%[1]d","field %[1]d":1}`, "", "\n", "\n")
}

func squeezed(plain func() string) func() string {
	return func() string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(plain())) // to memory: no error
		_ = w.Close()
		return b.String()
	}
}

func zstandard(plain func() string) func() string {
	return func() string {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			panic(err) // the options are constants
		}
		defer w.Close()
		return string(w.EncodeAll([]byte(plain()), nil))
	}
}

// cut leaves out the last n bytes.
func cut(whole func() string, n int) func() string {
	return func() string {
		s := whole()
		return s[:len(s)-n]
	}
}

// bent changes the nth last byte.
func bent(whole func() string, n int) func() string {
	return func() string {
		b := []byte(whole())
		b[len(b)-n] ^= 0x55
		return string(b)
	}
}

// nestedThrift is a footer of so many structures inside each other that reading
// them by recursion exhausts the stack.
func nestedThrift() string {
	const n = 4 << 20
	return "PAR1" + strings.Repeat("\x1c", n) + string(binary.LittleEndian.AppendUint32(nil, n)) + "PAR1"
}
