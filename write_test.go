package dataknobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	dk "dataknobs.dev/dataknobs"
)

func TestWrites(t *testing.T) {
	d := newFake(t, dk.Features{Shared: true, Metadata: true})
	db := dk.New(d, &dk.Options{Name: "shop"})
	ctx := t.Context()

	rec := dk.NewRecord("", dk.F("name", "Ann"))
	res, err := db.Create(ctx, rec)
	if err != nil || !res.Created || res.Revision == "" {
		t.Fatalf("Create: %+v, %v", res, err)
	}
	if u, err := uuid.Parse(res.ID); err != nil || u.Version() != 7 {
		t.Errorf("the new ID %q is no UUIDv7", res.ID)
	}
	if rec.ID != "" || rec.Revision != "" {
		t.Errorf("the record passed in was changed: %+v", rec)
	}
	_, err = db.Create(ctx, dk.NewRecord(res.ID))
	wantErr(t, err, dk.AlreadyExists, "create: shop: record", res.ID)

	got, err := db.Get(ctx, res.ID)
	if err != nil || got.Get("name").Str() != "Ann" || got.Revision != res.Revision {
		t.Fatalf("Get: %+v, %v", got, err)
	}
	got.Set("name", dk.String("changed"))
	if again, _ := db.Get(ctx, res.ID); again.Get("name").Str() != "Ann" {
		t.Error("a record handed out was still the store's")
	}
	if _, err = db.Update(ctx, dk.NewRecord("nobody")); !errors.Is(err, dk.NotFound) {
		t.Errorf("Update of nothing: %v", err)
	}
	up, err := db.Update(ctx, dk.NewRecord(res.ID, dk.F("name", "Eve")), dk.IfRevision(res.Revision))
	if err != nil || up.Created || up.Revision == res.Revision || up.ID != res.ID {
		t.Fatalf("Update: %+v, %v", up, err)
	}
	_, err = db.Put(ctx, dk.NewRecord(res.ID), dk.IfRevision(res.Revision))
	wantErr(t, err, dk.Conflict, "put: shop", res.ID)
	_, err = db.Put(ctx, dk.NewRecord("gone"), dk.IfRevision("r1"))
	wantErr(t, err, dk.NotFound)
	if _, err = db.Patch(ctx, res.ID, []dk.Change{{Path: dk.Names("age"), Value: dk.Int(3)}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := db.Get(ctx, res.ID); got.Get("age").Int() != 3 || got.Get("name").Str() != "Eve" {
		t.Errorf("after Patch: %v", got.Fields)
	}
	if err := db.Delete(ctx, res.ID); err != nil {
		t.Fatal(err)
	}
	wantErr(t, db.Delete(ctx, res.ID), dk.NotFound, "delete: shop")
	_, err = db.Get(ctx, res.ID)
	wantErr(t, err, dk.NotFound, "get: shop", res.ID)
}

func TestWritesRefuse(t *testing.T) {
	big := dk.F("text", strings.Repeat("x", 2000))
	set := func(p dk.Path) []dk.Change { return []dk.Change{{Path: p, Value: dk.Int(1)}} }
	plain := dk.Features{MaxRecord: 1000}
	keyed := dk.Features{Key: []string{"id"}}
	tests := []struct {
		name string
		f    dk.Features
		o    dk.Options
		do   func(ctx context.Context, db *dk.DB) error
		code dk.Code
		word string
	}{
		{"nil record", plain, dk.Options{}, put(nil), dk.InvalidArgument, "nil"},
		{"no ID", plain, dk.Options{}, put(dk.NewRecord("")), dk.InvalidArgument, "no ID"},
		{"bad ID", plain, dk.Options{}, put(dk.NewRecord("a\x00b")), dk.InvalidArgument, "NUL"},
		{"system name", plain, dk.Options{}, put(dk.NewRecord("a", dk.F("_id", 1))), dk.InvalidArgument, "system name"},
		{"too large", plain, dk.Options{}, put(dk.NewRecord("a", big)), dk.ResourceExhausted, "limit is 1000"},
		{"metadata", plain, dk.Options{}, put(&dk.Record{ID: "a", Metadata: dk.Fields{big}}), dk.Unsupported, "metadata"},
		{"patch too large", plain, dk.Options{}, patch([]dk.Change{{Path: dk.Names("a"), Value: big.Value}}), dk.ResourceExhausted, "new value of a"},
		{"patch the ID", plain, dk.Options{}, patch(set(dk.PathID)), dk.InvalidArgument, "ID cannot be changed"},
		{"patch the revision", plain, dk.Options{}, patch(set(dk.PathRevision)), dk.InvalidArgument, "_rev"},
		{"patch metadata", plain, dk.Options{}, patch(set(dk.PathMetadata.Child("a"))), dk.Unsupported, "metadata"},
		{"patch nothing", plain, dk.Options{}, patch(set(nil)), dk.InvalidArgument, "no path"},
		{"patch an index", plain, dk.Options{}, patch(set(dk.Path{{Index: 1}})), dk.InvalidArgument, "no path"},
		{"patch the key", keyed, dk.Options{}, patch(set(dk.Names("id", "x"))), dk.InvalidArgument, "makes the record's ID"},
		{"read-only driver", dk.Features{ReadOnly: "it is a directory"}, dk.Options{}, put(dk.NewRecord("a")), dk.Unsupported, "it is a directory"},
		{"read-only option", plain, dk.Options{ReadOnly: true}, put(dk.NewRecord("a")), dk.PermissionDenied, "reading only"},
		{"row IDs, put", dk.Features{RowIDs: "name a key"}, dk.Options{}, put(dk.NewRecord("a")), dk.Unsupported, "name a key"},
		{"row IDs, patch", dk.Features{RowIDs: "name a key"}, dk.Options{}, patch(set(dk.Names("a"))), dk.Unsupported, "name a key"},
		{"row IDs, create", dk.Features{RowIDs: "name a key"}, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			_, err := db.Create(ctx, dk.NewRecord("a"))
			return err
		}, dk.Unsupported, "name a key"},
		{"empty revision", plain, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			return db.Delete(ctx, "a", dk.IfRevision(""))
		}, dk.InvalidArgument, "empty revision"},
		{"create if revision", plain, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			_, err := db.Create(ctx, dk.NewRecord("a"), dk.IfRevision("r1"))
			return err
		}, dk.InvalidArgument, "no revision"},
		{"get without an ID", plain, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			_, err := db.Get(ctx, "")
			return err
		}, dk.InvalidArgument, "empty"},
		{"write without an operation", plain, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			_, err := db.Apply(ctx, []dk.Write{{ID: "a"}})
			return err
		}, dk.InvalidArgument, "no operation"},
		{"two IDs", plain, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			_, err := db.Apply(ctx, []dk.Write{{Op: dk.WritePut, ID: "a", Record: dk.NewRecord("b")}})
			return err
		}, dk.InvalidArgument, `"b"`},
		{"delete if absent", plain, dk.Options{}, func(ctx context.Context, db *dk.DB) error {
			_, err := db.Apply(ctx, []dk.Write{{Op: dk.WriteDelete, ID: "a", If: dk.IfAbsent}})
			return err
		}, dk.InvalidArgument, "only a new record"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newFake(t, tt.f)
			wantErr(t, tt.do(t.Context(), dk.New(d, &tt.o)), tt.code, tt.word)
			if d.batches != nil {
				t.Error("the driver was asked to write")
			}
		})
	}
}

func put(r *dk.Record) func(context.Context, *dk.DB) error {
	return func(ctx context.Context, db *dk.DB) error {
		_, err := db.Put(ctx, r)
		return err
	}
}

func patch(cs []dk.Change) func(context.Context, *dk.DB) error {
	return func(ctx context.Context, db *dk.DB) error {
		_, err := db.Patch(ctx, "a", cs)
		return err
	}
}

func TestKeys(t *testing.T) {
	ints, strs := dk.KindsOf(dk.KindInt, dk.KindNull), dk.KindsOf(dk.KindString)
	tests := []struct {
		name   string
		key    []string
		kinds  dk.KindSet
		rec    *dk.Record
		id     string // what it is stored under; "": refused; "new": a UUIDv7
		fields string
		word   string
	}{
		{"from the field", []string{"id"}, 0, dk.NewRecord("", dk.F("id", 12)), "12", "{'id': 12}", ""},
		{"both agree", []string{"id"}, 0, dk.NewRecord("a", dk.F("id", "a")), "a", "{'id': 'a'}", ""},
		{"both differ", []string{"id"}, 0, dk.NewRecord("b", dk.F("id", "a")), "", "", `makes it "a"`},
		{"the field from the ID", []string{"id"}, 0, dk.NewRecord("a", dk.F("x", 1)), "a", "{'id': 'a', 'x': 1}", ""},
		{"in place of a null", []string{"id"}, strs, dk.NewRecord("a", dk.F("x", 1), dk.F("id", nil)), "a", "{'id': 'a', 'x': 1}", ""},
		{"an int from the ID", []string{"id"}, ints, dk.NewRecord("12"), "12", "{'id': 12}", ""},
		{"no int", []string{"id"}, ints, dk.NewRecord("x12"), "", "", "no int"},
		{"leading zero", []string{"id"}, ints, dk.NewRecord("012"), "", "", "no int"},
		{"a time", []string{"id"}, dk.KindsOf(dk.KindTime), dk.NewRecord("2026-01-02T00:00:00Z"), "2026-01-02T00:00:00Z", "{'id': time '2026-01-02T00:00:00Z'}", ""},
		{"neither", []string{"id"}, 0, dk.NewRecord(""), "new", "", ""},
		{"neither, int", []string{"id"}, ints, dk.NewRecord(""), "", "", "neither an ID nor a value"},
		{"two keys", []string{"a", "b"}, 0, dk.NewRecord("", dk.F("a", "x,y"), dk.F("b", true)), `x\,y,true`, "{'a': 'x,y', 'b': true}", ""},
		{"two keys, one missing", []string{"a", "b c"}, 0, dk.NewRecord("x,y", dk.F("a", "x")), "", "", "no value for `b c`"},
		{"two keys, both missing", []string{"a", "b"}, 0, dk.NewRecord("x,y"), "", "", "no value for a"},
		{"no scalar", []string{"id"}, 0, dk.NewRecord("", dk.F("id", []int{1})), "", "", "id"},
		{"empty", []string{"id"}, 0, dk.NewRecord("", dk.F("id", "")), "", "", "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &typedFake{fake: newFake(t, dk.Features{Key: tt.key})}
			d.kinds = map[string]dk.KindSet{"id": tt.kinds}
			before := tt.rec.Clone()
			res, err := dk.New(d, nil).Create(t.Context(), tt.rec)
			if !tt.rec.Identical(before) {
				t.Errorf("the record passed in was changed to %v", tt.rec.Fields)
			}
			if tt.id == "" {
				wantErr(t, err, dk.InvalidArgument, tt.word)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			stored := d.recs[0]
			if tt.id == "new" {
				if u, err := uuid.Parse(res.ID); err != nil || u.Version() != 7 || stored.Get("id").Str() != res.ID {
					t.Errorf("got the ID %q and %v", res.ID, stored.Fields)
				}
				return
			}
			if got := dk.Object(stored.Fields).String(); res.ID != tt.id || stored.ID != tt.id || got != tt.fields {
				t.Errorf("got the ID %q and %s, want %q and %s", res.ID, got, tt.id, tt.fields)
			}
		})
	}
}

func TestAssignedIDs(t *testing.T) {
	d := newFake(t, dk.Features{AssignsIDs: true, RowIDs: "rows have no key"})
	res, err := dk.New(d, nil).Create(t.Context(), dk.NewRecord("", dk.F("a", 1)))
	if err != nil || res.ID != "row1" {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestGetMany(t *testing.T) {
	for _, shared := range []bool{false, true} {
		db := dk.New(newFake(t, dk.Features{Shared: shared}, dk.NewRecord("a", dk.F("x", 1)), dk.NewRecord("b")), nil)
		recs, err := db.GetMany(t.Context(), []string{"b", "nobody", "a", "a"})
		if err != nil || len(recs) != 4 || recs[0].ID != "b" || recs[1] != nil || recs[2].ID != "a" || recs[3].ID != "a" {
			t.Fatalf("got %v, %v", recs, err)
		}
		recs[2].Set("x", dk.Int(2))
		if recs[3].Get("x").Int() != 1 {
			t.Error("two results share a record")
		}
		_, err = db.GetMany(t.Context(), []string{"a", ""})
		wantErr(t, err, dk.InvalidArgument, "empty")
	}
}

func TestClosed(t *testing.T) {
	d := newFake(t, dk.Features{})
	db := dk.New(d, &dk.Options{Name: "s"})
	if err := db.Close(); err != nil || !d.closed {
		t.Fatal("not closed", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	ctx := t.Context()
	calls := map[string]func() error{
		"get":     func() error { _, err := db.Get(ctx, "a"); return err },
		"getmany": func() error { _, err := db.GetMany(ctx, nil); return err },
		"create":  func() error { _, err := db.Create(ctx, dk.NewRecord("a")); return err },
		"delete":  func() error { return db.Delete(ctx, "a") },
		"many":    func() error { _, err := db.PutMany(ctx, nil); return err },
		"where":   func() error { _, err := db.DeleteWhere(ctx, nil); return err },
		"load":    func() error { _, err := db.Load(ctx, db.Query(ctx, ""), nil); return err },
		"query":   func() error { _, err := db.First(ctx, nil); return err },
		"count":   func() error { _, err := db.Count(ctx, nil); return err },
		"page":    func() error { _, err := db.Page(ctx, nil); return err },
		"explain": func() error { _, err := db.Explain(ctx, nil, dk.ExplainOptions{}); return err },
		"schema":  func() error { _, err := db.Schema(ctx); return err },
		"sync":    func() error { return db.Sync(ctx) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) { wantErr(t, call(), dk.InvalidArgument, "the store is closed", ": s: ") })
	}
}

func TestCancelled(t *testing.T) {
	db := dk.New(newFake(t, dk.Features{}, people(5)...), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func() error{
		"get":    func() error { _, err := db.Get(ctx, "p01"); return err },
		"create": func() error { _, err := db.Create(ctx, dk.NewRecord("a")); return err },
		"many":   func() error { _, err := db.PutMany(ctx, people(2)); return err },
		"where":  func() error { _, err := db.DeleteWhere(ctx, nil); return err },
		"load":   func() error { _, err := db.Load(ctx, seqOf(people(9)...), nil); return err },
		"query":  func() error { _, err := db.All(ctx, dk.MustParse("order by age")); return err },
		"count":  func() error { _, err := db.Count(ctx, nil); return err },
		"page":   func() error { _, err := db.Page(ctx, nil); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) || dk.CodeOf(err) != 0 {
			t.Errorf("%s: got %v (code %v), want context.Canceled", name, err, dk.CodeOf(err))
		}
	}
}
