package dataknobs_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
	"pgregory.net/rapid"
)

// nested returns an array that nests n levels deep.
func nested(n int) dataknobs.Value {
	v := dataknobs.Array()
	for range n - 1 {
		v = dataknobs.Array(v)
	}
	return v
}

func TestBinaryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := genRecord.Draw(t, "record")
		r.SetPosition(rapid.Uint64().Draw(t, "position"))
		v := dataknobs.Object(r.Fields)
		b, err := v.AppendBinary([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := dataknobs.DecodeValue(append(b, "after"...)[6:])
		if err != nil || string(rest) != "after" || !got.Identical(v) {
			t.Fatalf("value: got %v, %q, %v; wanted %v", got, rest, err, v)
		}
		if b, err = r.AppendBinary([]byte("before")); err != nil {
			t.Fatal(err)
		}
		b = append(b, "after"...)
		back, rest, err := dataknobs.DecodeRecord(b[6:])
		if err != nil || string(rest) != "after" {
			t.Fatalf("record: %q, %v", rest, err)
		}
		clear(b) // nothing decoded may alias the input
		if !back.Identical(r) || back.Revision != r.Revision || back.Position() != r.Position() {
			t.Fatalf("got %v, wanted %v", back, r)
		}
	})
}

func TestBinaryKeepsOrderAndSign(t *testing.T) {
	f := dataknobs.Fields{dataknobs.F("z", math.Copysign(0, -1)), dataknobs.F("a", nil), dataknobs.F("e", dataknobs.Fields{}), dataknobs.F("l", []int{})}
	b, err := dataknobs.Object(f).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := dataknobs.DecodeValue(b)
	if err != nil || got.String() != "{'z': -0.0, 'a': null, 'e': {}, 'l': []}" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestBinaryDepth(t *testing.T) {
	b, err := nested(dataknobs.MaxDepth).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := dataknobs.DecodeValue(b); err != nil {
		t.Errorf("%d levels: %v", dataknobs.MaxDepth, err)
	}
	_, err = nested(dataknobs.MaxDepth + 1).AppendBinary(nil)
	wantCode(t, err, dataknobs.InvalidArgument)
	_, err = dataknobs.NewRecord("1", dataknobs.Field{Name: "x", Value: nested(dataknobs.MaxDepth + 1)}).AppendBinary(nil)
	wantCode(t, err, dataknobs.InvalidArgument)
	_, _, err = dataknobs.DecodeValue(bytes.Repeat([]byte{8, 1}, 1_000_000))
	wantCode(t, err, dataknobs.DataLoss)
}

// TestDecodeDamaged cuts and changes an encoded record at every place: the
// decoder must find the fault or return some other record, and allocate little.
func TestDecodeDamaged(t *testing.T) {
	r := dataknobs.NewRecord("id", dataknobs.F("s", "text"), dataknobs.F("n", 1<<40), dataknobs.F("o", dataknobs.Fields{dataknobs.F("l", []any{1.5, true, sampleTime, []byte("x")})}))
	r.Metadata = dataknobs.Fields{dataknobs.F("m", 1)}
	b, err := r.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		_, _, err := dataknobs.DecodeRecord(b[:i])
		wantCode(t, err, dataknobs.DataLoss)
		for _, c := range []byte{0, 1, 7, 8, 9, 10, 127, 128, 255} {
			d := slices.Clone(b)
			d[i] = c
			if _, _, err := dataknobs.DecodeRecord(d); err != nil {
				wantCode(t, err, dataknobs.DataLoss)
			}
		}
	}
	huge := binary.AppendUvarint([]byte{6}, math.MaxUint64)
	for _, tag := range []byte{6, 7, 8, 9} {
		huge[0] = tag
		if n := testing.AllocsPerRun(10, func() { _, _, err = dataknobs.DecodeValue(huge) }); n > 20 {
			t.Errorf("tag %d: a length beyond the input allocates %v times", tag, n)
		}
		wantCode(t, err, dataknobs.DataLoss)
	}
}

func FuzzDecodeValue(f *testing.F) {
	for _, v := range append(slices.Clone(samples), dataknobs.Null(), nested(5), dataknobs.Array(samples...)) {
		b, err := v.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{9, 1, 1})
	for _, s := range hostile.Seeds(hostile.Binary) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := dataknobs.DecodeValue(b)
		if err != nil {
			wantCode(t, err, dataknobs.DataLoss)
			return
		}
		again, err := v.AppendBinary(nil)
		if err != nil {
			t.Fatalf("encoding %v again: %v", v, err)
		}
		if len(again) > len(b)-len(rest) { // a varint may have been longer than it needs to be, never shorter
			t.Fatalf("%d bytes became %d", len(b)-len(rest), len(again))
		}
		w, rest, err := dataknobs.DecodeValue(again)
		if err != nil || len(rest) > 0 || w.String() != v.String() {
			t.Fatalf("got %v, %v; wanted %v", w, err, v)
		}
		if !bytes.Equal(dataknobs.AppendKey(nil, v), dataknobs.AppendKey(nil, w)) {
			t.Fatalf("two keys of %v", v)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	r := dataknobs.NewRecord("id", dataknobs.F("s", "text"), dataknobs.F("o", dataknobs.Fields{dataknobs.F("l", []any{1.5, true})}))
	r.Metadata, r.Revision = dataknobs.Fields{dataknobs.F("m", 1)}, "7"
	b, err := r.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0, 0, 0, 0})
	for _, s := range hostile.Seeds(hostile.Binary) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _, err := dataknobs.DecodeRecord(b)
		if err != nil {
			wantCode(t, err, dataknobs.DataLoss)
			return
		}
		again, err := r.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if s, _, err := dataknobs.DecodeRecord(again); err != nil || s.ID != r.ID || s.Revision != r.Revision || len(s.Fields) != len(r.Fields) {
			t.Fatalf("got %v, %v; wanted %v", s, err, r)
		}
	})
}

// TestAppendKey checks that keys are the same exactly where values are equal.
func TestAppendKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := genValue.Draw(t, "v"), genValue.Draw(t, "w")
		same := bytes.Equal(dataknobs.AppendKey(nil, v), dataknobs.AppendKey(nil, w))
		if same != v.Equal(w) {
			t.Fatalf("%v and %v: the keys are the same: %v; the values are equal: %v", v, w, same, v.Equal(w))
		}
	})
}

func TestHashContent(t *testing.T) {
	base := func() *dataknobs.Record {
		r := dataknobs.NewRecord("1", dataknobs.F("a", 1), dataknobs.F("b", dataknobs.Fields{dataknobs.F("x", "y"), dataknobs.F("z", []any{1, nil})}))
		r.Metadata = dataknobs.Fields{dataknobs.F("source", "test")}
		return r
	}
	want := dataknobs.HashContent(base())
	tests := []struct {
		name   string
		change func(r *dataknobs.Record)
		same   bool
	}{
		{"nothing", func(*dataknobs.Record) {}, true},
		{"the ID", func(r *dataknobs.Record) { r.ID = "2" }, true},
		{"the revision", func(r *dataknobs.Record) { r.Revision = "2" }, true},
		{"the position", func(r *dataknobs.Record) { r.SetPosition(2) }, true},
		{"the order of fields", func(r *dataknobs.Record) { slices.Reverse(r.Fields) }, true},
		{"the order inside", func(r *dataknobs.Record) {
			f := r.Get("b").Fields()
			slices.Reverse(f)
			r.Set("b", dataknobs.Object(f))
		}, true},
		{"a value", func(r *dataknobs.Record) { r.Set("a", dataknobs.Int(2)) }, false},
		{"a kind", func(r *dataknobs.Record) { r.Set("a", dataknobs.Float(1)) }, false},
		{"an explicit null", func(r *dataknobs.Record) { r.Set("n", dataknobs.Null()) }, false},
		{"the metadata", func(r *dataknobs.Record) { r.Metadata.Set("source", dataknobs.String("")) }, false},
		{"a field moved to the metadata", func(r *dataknobs.Record) { r.Fields.Delete("a"); r.Metadata.Set("a", dataknobs.Int(1)) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base()
			tt.change(r)
			before := r.Clone()
			if same := dataknobs.HashContent(r) == want; same != tt.same {
				t.Errorf("the hash is the same: got %v, wanted %v", same, tt.same)
			}
			if slices.Compare(slices.Collect(r.Fields.Names()), slices.Collect(before.Fields.Names())) != 0 {
				t.Error("hashing changed the record")
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := genRecord.Draw(t, "a"), genRecord.Draw(t, "b")
		same := dataknobs.HashContent(a) == dataknobs.HashContent(b)
		if identical := a.Fields.Identical(b.Fields) && a.Metadata.Identical(b.Metadata); same != identical {
			t.Fatalf("%v and %v: the hash is the same: %v; the content is: %v", a, b, same, identical)
		}
	})
}

func TestKeyText(t *testing.T) {
	tests := []struct {
		name string
		key  []any
		want string // "" for InvalidArgument
	}{
		{"a string", []any{`a,b\c`}, `a,b\c`},
		{"an int", []any{-7}, "-7"},
		{"a float", []any{1.0}, "1.0"},
		{"a bool", []any{true}, "true"},
		{"a time", []any{sampleTime}, "2026-01-02T03:04:05.000006Z"},
		{"two parts", []any{"EWR", sampleTime}, "EWR,2026-01-02T03:04:05.000006Z"},
		{"parts with commas", []any{`a,b`, `c\`, 1}, `a\,b,c\\,1`},
		{"null", []any{nil}, ""},
		{"an empty string", []any{""}, ""},
		{"bytes", []any{[]byte("a")}, ""},
		{"an array", []any{[]int{1}}, ""},
		{"a null among others", []any{"a", nil}, ""},
		{"nothing", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var vs []dataknobs.Value
			for _, k := range tt.key {
				vs = append(vs, dataknobs.F("", k).Value)
			}
			got, err := dataknobs.KeyText(vs)
			if got != tt.want {
				t.Errorf("got %q, wanted %q", got, tt.want)
			}
			if tt.want == "" {
				wantCode(t, err, dataknobs.InvalidArgument)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestKeyTextsDiffer checks that different keys have different texts.
func TestKeyTextsDiffer(t *testing.T) {
	part := rapid.StringOfN(rapid.SampledFrom([]rune(`,\a`)), 1, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []string { return rapid.SliceOfN(part, 2, 2).Draw(t, name) }
		text := func(parts []string) string {
			s, err := dataknobs.KeyText([]dataknobs.Value{dataknobs.String(parts[0]), dataknobs.String(parts[1])})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		a, b := draw("a"), draw("b")
		if !slices.Equal(a, b) && text(a) == text(b) {
			t.Fatalf("%q and %q are both %s", a, b, text(a))
		}
	})
}

func benchRecord() *dataknobs.Record {
	r := dataknobs.NewRecord("0198c0de-0000-7000-8000-000000000000")
	for i := range 10 {
		r.Set(strings.Repeat("f", i+1), dataknobs.Int(int64(i)))
		r.Set(strings.Repeat("s", i+1), dataknobs.String("some text"))
	}
	return r
}

func BenchmarkBinary(b *testing.B) {
	r := benchRecord()
	buf, err := r.AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			buf, _ = r.AppendBinary(buf[:0])
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := dataknobs.DecodeRecord(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hash", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			dataknobs.HashContent(r)
		}
	})
}
