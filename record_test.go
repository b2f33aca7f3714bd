package dataknobs_test

import (
	"math"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
)

// nest returns a value with so many arrays around it.
func nest(n int) dk.Value {
	v := dk.Int(1)
	for range n {
		v = dk.Array(v)
	}
	return v
}

func TestRecordCheck(t *testing.T) {
	wide := make(dk.Fields, 200)
	for i := range wide {
		wide[i] = dk.F(strings.Repeat("x", i+1), i)
	}
	twice := append(append(dk.Fields{}, wide...), dk.F("xxx", 1))
	rec := func(name string, x any) *dk.Record {
		return dk.NewRecord("1", dk.Field{Name: name, Value: dk.F("", x).Value})
	}
	for name, c := range map[string]struct {
		rec  *dk.Record
		code dk.Code // 0: legal
		want string
	}{
		"no fields":            {dk.NewRecord(""), 0, ""},
		"odd but legal":        {dk.NewRecord("../%'\"😀_-", dk.F("a.b c'\"`", ""), dk.F("id", 1), dk.F("_x", []any{nil})), 0, ""},
		"ID of 512 bytes":      {dk.NewRecord(strings.Repeat("x", 512)), 0, ""},
		"ID of 513 bytes":      {dk.NewRecord(strings.Repeat("x", 513)), dk.InvalidArgument, "513 bytes; the limit is 512"},
		"ID with NUL":          {dk.NewRecord("a\x00"), dk.InvalidArgument, "NUL"},
		"ID not UTF-8":         {dk.NewRecord("\xff"), dk.InvalidArgument, "UTF-8"},
		"name of 255 bytes":    {rec(strings.Repeat("x", 255), 1), 0, ""},
		"name of 256 bytes":    {rec(strings.Repeat("x", 256), 1), dk.InvalidArgument, "256 bytes; the limit is 255"},
		"empty name":           {rec("", 1), dk.InvalidArgument, "empty"},
		"name with NUL":        {rec("a\x00", 1), dk.InvalidArgument, "NUL"},
		"name not UTF-8":       {rec("\xff", 1), dk.InvalidArgument, "UTF-8"},
		"system name":          {rec("_id", 1), dk.InvalidArgument, "system name"},
		"reserved name":        {rec("_updated", 1), dk.InvalidArgument, "system name"},
		"nested system name":   {rec("a", map[string]any{"_meta": 1}), dk.InvalidArgument, "in a:"},
		"twice":                {dk.NewRecord("1", dk.F("a", 1), dk.F("a", 2)), dk.InvalidArgument, "the field a is there twice"},
		"twice, nested":        {rec("a", dk.Fields{dk.F("b", 1), dk.F("b", nil)}), dk.InvalidArgument, "the field a.b is there twice"},
		"many fields":          {dk.NewRecord("1", wide...), 0, ""},
		"twice among many":     {dk.NewRecord("1", twice...), dk.InvalidArgument, "the field xxx is there twice"},
		"NaN":                  {rec("a", math.NaN()), dk.InvalidArgument, "a is NaN"},
		"infinity, nested":     {rec("a", []any{1, map[string]any{"b": math.Inf(-1)}}), dk.InvalidArgument, "a[1].b is -Inf"},
		"string with NUL":      {rec("a", "x\x00"), dk.InvalidArgument, "store it as bytes"},
		"string not UTF-8":     {rec("a", []string{"x", "\xff"}), dk.InvalidArgument, "the text of a[1]"},
		"bytes of any kind":    {rec("a", []byte{0, 255}), 0, ""},
		"year 1":               {rec("a", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), 0, ""},
		"year 0":               {rec("a", time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)), dk.InvalidArgument, "years 1 to 9999"},
		"year 10000":           {rec("a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), dk.InvalidArgument, "years 1 to 9999"},
		"63 arrays in a field": {rec("a", nest(63)), 0, ""},
		"64 arrays in a field": {rec("a", nest(64)), dk.InvalidArgument, "nests deeper than 64"},
		"metadata":             {&dk.Record{Metadata: dk.Fields{dk.F("a", math.NaN())}}, dk.InvalidArgument, "_meta.a is NaN"},
		"too large":            {rec("a", make([]byte, dk.MaxRecordBytes)), dk.ResourceExhausted, "the limit is 67108864"},
	} {
		err := c.rec.Check()
		if dk.CodeOf(err) != c.code || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v, want %q", name, err, c.want)
		}
	}
}

func TestFields(t *testing.T) {
	var f dk.Fields
	f.Set("a", dk.Int(1))
	f.Set("b", dk.Null())
	f.Set("a", dk.Int(2))
	if v, ok := f.Get("b"); !ok || !v.IsNull() {
		t.Errorf("an explicit null is %v, %v", v, ok)
	}
	if _, ok := f.Get("c"); ok || !f.Value("c").IsNull() {
		t.Error("an absent field is there")
	}
	if !f.Delete("a") || f.Delete("a") || len(f) != 1 {
		t.Errorf("after deleting a: %v", f)
	}
}

func TestRecordClone(t *testing.T) {
	r := dk.NewRecord("1", dk.F("a", 1))
	r.Metadata = dk.Fields{dk.F("m", 1)}
	c := r.Clone()
	c.Set("a", dk.Int(2))
	c.Set("b", dk.Int(3))
	c.Metadata.Set("m", dk.Int(2))
	if r.Get("a").Int() != 1 || len(r.Fields) != 1 || r.Metadata.Value("m").Int() != 1 || r.Identical(c) {
		t.Errorf("changing the clone changed the record to %v %v", r.Fields, r.Metadata)
	}
	if !r.Identical(r.Clone()) {
		t.Error("the clone is another record")
	}
}

func TestSystemNames(t *testing.T) {
	for name, want := range map[string]bool{
		"_id": true, "_rev": true, "_meta": true, "_created": true, "_updated": true,
		"id": false, "_ID": false, "_": false, "__id": false, "": false, "_meta.x": false,
	} {
		if got := dk.IsSystemName(name); got != want {
			t.Errorf("IsSystemName(%q) = %v", name, got)
		}
	}
}
