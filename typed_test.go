package dataknobs_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
)

type address struct {
	Street string `dk:"street"`
	Zip    *int   `dk:"zip,omitempty"`
}

type base struct {
	Created time.Time `json:"created"`
	Hidden  string    `json:"-"`
}

// Base2 is embedded by pointer, so it must be exported to be made.
type Base2 struct{ Extra string }

type person struct {
	ID   string            `dk:"_id"`
	Rev  string            `dk:"_rev"`
	Meta map[string]string `dk:"_meta"`
	base
	*Base2
	Name    string `dk:"name" json:"full_name"`
	Email   string `json:"email,omitempty"`
	Age     int8
	Score   float32           `dk:"score"`
	Big     uint64            `dk:"big"`
	Home    address           `dk:"home"`
	Others  []address         `dk:"others,omitempty"`
	Photo   []byte            `dk:"photo,omitempty"`
	Sum     [2]byte           `dk:"sum"`
	Labels  map[string]any    `dk:"labels,omitempty"`
	IP      netip.Addr        `dk:"ip"`
	IPs     []netip.Addr      `dk:"ips,omitempty"`
	Raw     dk.Value          `dk:"raw"`
	Fields  dk.Fields         `dk:"fields,omitempty"`
	Any     any               `dk:"any"`
	Number  json.Number       `dk:"number"`
	Wait    time.Duration     `dk:"wait"`
	Until   *time.Time        `dk:"until"`
	Skipped func()            `dk:"-"`
	private int               //nolint:unused // must be left out
	Deep    map[string][]bool `dk:"deep,omitempty"`
}

func TestTypedRoundTrip(t *testing.T) {
	zip, until := 8001, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	tests := map[string]person{
		"zero": {IP: netip.MustParseAddr("::1"), Number: "0"},
		"full": {
			ID: "a", Meta: map[string]string{"source": "web"}, base: base{Created: until}, Base2: &Base2{"more"}, Name: "Ann", Email: "a@x", Age: -7, Score: 1.5,
			Big: math.MaxInt64, Home: address{"Main", &zip}, Others: []address{{"B", nil}, {"C", &zip}}, Photo: []byte{0, 1}, Sum: [2]byte{3, 4},
			Labels: map[string]any{"a": int64(1), "b": []any{"x", true}}, IP: netip.MustParseAddr("10.0.0.1"), IPs: []netip.Addr{netip.MustParseAddr("::2")},
			Raw: dk.Float(1), Fields: dk.Fields{dk.F("z", 1)}, Any: "text", Number: "12", Wait: time.Second, Until: &until, Deep: map[string][]bool{"k": {true}},
		},
	}
	for name, x := range tests {
		t.Run(name, func(t *testing.T) {
			rec, err := dk.ToRecord(x)
			if err != nil {
				t.Fatal(err)
			}
			if err := rec.Check(); err != nil {
				t.Fatal(err)
			}
			var y person
			if err := dk.FromRecord(rec, &y); err != nil {
				t.Fatal(err)
			}
			if x.Base2 == nil { // its field is in the record, so it is made
				x.Base2 = &Base2{}
			}
			if !x.Raw.Identical(y.Raw) || !x.Fields.Identical(y.Fields) {
				t.Errorf("got %v %v", y.Raw, y.Fields)
			}
			x.Raw, y.Raw, x.Fields, y.Fields, x.Meta, y.Meta = dk.Value{}, dk.Value{}, nil, nil, nil, nil
			x.Home.Zip, y.Home.Zip = nil, nil
			if !reflect.DeepEqual(x, y) {
				t.Errorf("got\n%+v\nwant\n%+v", y, x)
			}
		})
	}
}

func TestTypedFields(t *testing.T) {
	rec, err := dk.ToRecord(&person{ID: "a", Rev: "r", Meta: map[string]string{"k": "v"}, Name: "Ann", IP: netip.MustParseAddr("::1"), Number: "1.0"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for n := range rec.Fields.Names() {
		names = append(names, n)
	}
	want := "created Extra name Age score big home sum ip raw any number wait until"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got the fields %s, want %s", got, want)
	}
	if rec.ID != "a" || rec.Revision != "r" || dk.Object(rec.Metadata).String() != "{'k': 'v'}" || rec.Get("ip").Str() != "::1" || rec.Get("number").Kind() != dk.KindFloat {
		t.Errorf("got %+v", rec)
	}
}

func TestTypedDecodeErrors(t *testing.T) {
	tests := []struct {
		field dk.Field
		words string
	}{
		{dk.F("Age", 300), "Age is the int 300, which does not fit a Go int8"},
		{dk.F("Age", 1.5), "Age is the float 1.5"},
		{dk.F("Age", "7"), "Age is the string '7'"},
		{dk.F("big", -1), "big is the int -1, which does not fit a Go uint64"},
		{dk.F("score", 1e300), "float32"},
		{dk.F("score", "x"), "score is the string 'x'"},
		{dk.F("name", 1), "name is the int 1, which does not fit a Go string"},
		{dk.F("home", "x"), "home is the string 'x'"},
		{dk.F("others", []any{map[string]any{"zip": "x"}}), "others[0].zip is the string 'x'"},
		{dk.F("deep", map[string]any{"a b": []any{1}}), "deep.`a b`[0] is the int 1"},
		{dk.F("sum", []byte{1}), "exactly 2"},
		{dk.F("ip", "nonsense"), "ip: "},
		{dk.F("until", "soon"), "until is the string 'soon'"},
		{dk.F("created", 5), "created is the int 5, which does not fit a Go time.Time"},
		{dk.F("labels", strings.Repeat("x", 99)), "…, which"},
	}
	for _, tt := range tests {
		var p person
		err := dk.FromRecord(&dk.Record{Fields: dk.Fields{tt.field}}, &p)
		wantErr(t, err, dk.InvalidArgument, tt.words)
	}
	for _, x := range []any{nil, person{}, (*person)(nil), new(int)} {
		wantErr(t, dk.FromRecord(&dk.Record{}, x), dk.InvalidArgument, "pointer to a struct")
	}
}

func TestTypedDecodeFits(t *testing.T) {
	p := person{Name: "old", Age: 3, Base2: &Base2{"old"}}
	rec := dk.NewRecord("a", dk.F("Age", 7.0), dk.F("score", 2), dk.F("created", "2026-01-02"), dk.F("name", nil), dk.F("other", 1), dk.F("any", []any{1}))
	if err := dk.FromRecord(rec, &p); err != nil {
		t.Fatal(err)
	}
	if p.Age != 7 || p.Score != 2 || p.Created.Year() != 2026 || p.Name != "" || p.Extra != "" || !reflect.DeepEqual(p.Any, []any{int64(1)}) {
		t.Errorf("got %+v", p)
	}
}

func TestTypedBadStructs(t *testing.T) {
	_, err := dk.NewCollection[int](nil)
	wantErr(t, err, dk.InvalidArgument, "not of int")
	_, err = dk.NewCollection[struct {
		A int `dk:"x"`
		B int `json:"x"`
	}](nil)
	wantErr(t, err, dk.InvalidArgument, "two fields are called x")
	_, err = dk.NewCollection[struct {
		ID int `dk:"_id"`
	}](nil)
	wantErr(t, err, dk.InvalidArgument, "must be a string")
	_, err = dk.NewCollection[struct {
		A int `dk:"_created"`
	}](nil)
	wantErr(t, err, dk.InvalidArgument, "system name")
	_, err = dk.ToRecord(struct{ C chan int }{})
	wantErr(t, err, dk.InvalidArgument, "the field C", "chan int")
	_, err = dk.ToRecord(struct{ U uint64 }{math.MaxUint64})
	wantErr(t, err, dk.InvalidArgument, "the field U", "18446744073709551615")
	_, err = dk.ToRecord(5)
	wantErr(t, err, dk.InvalidArgument, "int")
	_, err = dk.ToRecord(struct {
		P person
	}{})
	wantErr(t, err, dk.InvalidArgument, "inside a record")
	type list struct{ Next *list }
	loop := &list{}
	loop.Next = loop
	_, err = dk.ToRecord(loop)
	wantErr(t, err, dk.InvalidArgument, "nests deeper")
}

func TestCollection(t *testing.T) {
	type item struct {
		ID  string `dk:"_id"`
		Rev string `dk:"_rev"`
		N   int    `dk:"n"`
	}
	db := dk.New(newFake(t, dk.Features{NaturalOrder: true}), &dk.Options{Name: "s"})
	c, err := dk.NewCollection[item](db)
	if err != nil || c.DB() != db {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := c.Create(ctx, item{ID: "a", N: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateMany(ctx, []item{{ID: "b", N: 2}, {ID: "c", N: 3}}); err != nil {
		t.Fatal(err)
	}
	x, err := c.Get(ctx, "a")
	if err != nil || x.ID != "a" || x.N != 1 || x.Rev == "" {
		t.Fatalf("got %+v, %v", x, err)
	}
	x.N = 10
	if _, err := c.Update(ctx, x, dk.IfRevision(x.Rev)); err != nil {
		t.Fatal(err)
	}
	_, err = c.Put(ctx, x, dk.IfRevision(x.Rev))
	wantErr(t, err, dk.Conflict)
	if _, err := c.Patch(ctx, "b", []dk.Change{{Path: dk.Names("n"), Value: dk.Int(20)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutMany(ctx, []item{{ID: "d", N: 4}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for x, err := range c.Query(ctx, "n > ?", 4) {
		if err != nil {
			t.Fatal(err)
		}
		sum += x.N
	}
	if sum != 30 {
		t.Errorf("got the sum %d, want 30", sum)
	}
	all, err := c.All(ctx, dk.MustParse("order by n desc"))
	if err != nil || len(all) != 3 || all[0].ID != "b" {
		t.Errorf("got %+v, %v", all, err)
	}
	first, err := c.First(ctx, dk.MustParse("order by n"))
	if err != nil || first.ID != "d" {
		t.Errorf("got %+v, %v", first, err)
	}
	many, err := c.GetMany(ctx, []string{"a", "c"})
	if err != nil || many[0].N != 10 || many[1] != nil {
		t.Errorf("got %+v, %v", many, err)
	}
	if _, err := db.Put(ctx, dk.NewRecord("odd", dk.F("n", "text"))); err != nil {
		t.Fatal(err)
	}
	_, err = c.Get(ctx, "odd")
	wantErr(t, err, dk.InvalidArgument, `get: s: record "odd"`, "n is the string 'text'")
	_, err = c.Get(ctx, "nobody")
	wantErr(t, err, dk.NotFound)
}
