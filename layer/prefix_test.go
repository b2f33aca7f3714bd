package layer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/layer"
)

// hostileTenants are names that a careless prefix would mix up.
var hostileTenants = []string{
	"a", "ab", "a/", "a/b", "/", "//", "a%2Fb", "a%", "%", "%2F", ".", "..", "a/..", "_", "*", "[a]", `\`, "A", "é", "\xf0\x9f\x98\x80", "a b", "a'", strings.Repeat("x", 200),
}

func tenant(t *testing.T, d dataknobs.Driver, name string) *dataknobs.DB {
	t.Helper()
	p, err := layer.Prefix(layer.Keep(d), layer.PrefixOptions{Tenant: name})
	return dataknobs.New(must(t, p, err), nil)
}

// Each tenant has records of the same IDs, and IDs that look like another's.
func TestTenantsNeverMeet(t *testing.T) {
	d := memory.New(memory.Options{})
	ids := []string{"a", "b/a", "/a", "b", "%2Fb", "..", "%"}
	for _, name := range hostileTenants {
		db := tenant(t, d, name)
		for _, id := range ids {
			if _, err := db.Create(t.Context(), dataknobs.NewRecord(id, dataknobs.F("of", name))); err != nil {
				t.Fatalf("tenant %q: create %q: %v", name, id, err)
			}
		}
	}
	for i, name := range hostileTenants {
		db := tenant(t, d, name)
		wantOwn(t, db, name, ids)
		if i%2 == 0 {
			if n, err := db.DeleteWhere(t.Context(), nil); err != nil || n != int64(len(ids)) {
				t.Errorf("tenant %q: deleted %d, error %v; wanted %d", name, n, err, len(ids))
			}
		}
	}
	for i, name := range hostileTenants {
		want := ids
		if i%2 == 0 {
			want = nil
		}
		wantOwn(t, tenant(t, d, name), name, want)
	}
}

func wantOwn(t *testing.T, db *dataknobs.DB, name string, ids []string) {
	t.Helper()
	recs, err := db.All(t.Context(), dataknobs.MustParse("order by _id"))
	if want := slices.Sorted(slices.Values(ids)); err != nil || !slices.Equal(idsOf(recs), want) {
		t.Errorf("tenant %q sees %q (error %v), wanted %q", name, idsOf(recs), err, want)
	}
	for _, r := range recs {
		if r.Get("of").Str() != name || r.Position() != 0 {
			t.Errorf("tenant %q sees %q of %q at %d", name, r.ID, r.Get("of"), r.Position())
		}
	}
	if n, err := db.Count(t.Context(), nil); err != nil || n != int64(len(ids)) {
		t.Errorf("tenant %q counts %d (error %v), wanted %d", name, n, err, len(ids))
	}
}

func TestATenantSeesNoOthersInStatisticsAndSchema(t *testing.T) {
	d := memory.New(memory.Options{})
	for i := range 100 {
		if _, err := tenant(t, d, "big").Create(t.Context(), dataknobs.NewRecord(fmt.Sprint(i), dataknobs.F("secret", i))); err != nil {
			t.Fatal(err)
		}
	}
	db := tenant(t, d, "small")
	if _, err := db.Create(t.Context(), record("x", 1)); err != nil {
		t.Fatal(err)
	}
	plan, err := db.Explain(t.Context(), dataknobs.MustParse("n = 1"), dataknobs.ExplainOptions{Analyze: true})
	if err != nil || plan.Analysis.Read > 1 || plan.Analysis.Skipped > 0 {
		t.Errorf("a query is said to have read %+v (error %v)", plan.Analysis, err)
	}
	s, err := db.Schema(t.Context())
	if err != nil || s.Records != 1 || len(s.Fields) != 1 {
		t.Errorf("the schema is %+v (error %v)", s, err)
	}
	for _, able := range []bool{is[dataknobs.Schemer](db), is[dataknobs.Namer](db), is[dataknobs.Explainer](db), is[dataknobs.Analyzer](db), is[dataknobs.Pooler](db), is[dataknobs.Epocher](db)} {
		if able {
			t.Error("a tenant can ask the store about all of its records")
		}
	}
}

func is[T any](db *dataknobs.DB) bool {
	_, ok := dataknobs.Ability[T](db.Driver())
	return ok
}

func TestPrefixRefusesWhatItCannotSeparate(t *testing.T) {
	for _, c := range []struct {
		name string
		f    dataknobs.Features
	}{
		{"IDs made of fields", dataknobs.Features{Key: []string{"email"}}},
		{"IDs that the store gives", dataknobs.Features{AssignsIDs: true}},
		{"row numbers", dataknobs.Features{RowIDs: "they are lines"}},
	} {
		_, err := layer.Prefix(&featuring{store(t), c.f}, layer.PrefixOptions{Tenant: "a"})
		wantCode(t, c.name, err, dataknobs.Unsupported)
	}
	for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 201)} {
		_, err := layer.Prefix(store(t), layer.PrefixOptions{Tenant: name})
		wantCode(t, fmt.Sprintf("the tenant %q", name), err, dataknobs.InvalidArgument)
	}
}

// featuring is a store with other features.
type featuring struct {
	dataknobs.Driver
	f dataknobs.Features
}

func (f *featuring) Features() *dataknobs.Features { return &f.f }

// A text beside a time is read as a time where this tenant has times only,
// whatever others have.
func TestPrefixReadsTimesByTheTenantsOwnRecords(t *testing.T) {
	d := memory.New(memory.Options{})
	at, err := dataknobs.Parse("at = time '2026-05-01T00:00:00Z'")
	if err != nil {
		t.Fatal(err)
	}
	instant := at.Where.(*dataknobs.Cond).Args[0]
	for name, v := range map[string]dataknobs.Value{"times": instant, "texts": dataknobs.String("2026-05-01")} {
		if _, err := tenant(t, &typing{d}, name).Create(t.Context(), dataknobs.NewRecord("x", dataknobs.Field{Name: "at", Value: v})); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int64{"times": 1, "texts": 0, "none": 0} {
		q := dataknobs.MustParse("at = '2026-05-01T02:00:00+02:00'")
		if n, err := tenant(t, &typing{d}, name).Count(t.Context(), q.Where); err != nil || n != want {
			t.Errorf("tenant %s: %s selects %d (error %v), wanted %d", name, q, n, err, want)
		}
	}
}

// typing is a store that knows its fields to hold times and strings.
type typing struct{ dataknobs.Driver }

func (*typing) Kinds(_ context.Context, paths []dataknobs.Path) ([]dataknobs.KindSet, error) {
	sets := make([]dataknobs.KindSet, len(paths))
	for i := range sets {
		sets[i] = sets[i].With(dataknobs.KindTime).With(dataknobs.KindString)
	}
	return sets, nil
}

// Whatever the store can do of the prefix, the answers are the same.
func TestPrefixOverStoresThatCanDoLess(t *testing.T) {
	full := store(t).Features()
	no := dataknobs.Support{}
	rough := dataknobs.Support{Fidelity: dataknobs.Rough}
	for _, c := range []struct {
		name   string
		filter func(*dataknobs.Cond) dataknobs.Support
	}{
		{"nothing", nil},
		{"no prefix, but ranges", func(c *dataknobs.Cond) dataknobs.Support {
			if c.Op == dataknobs.StartsWith {
				return no
			}
			return full.Filter(c)
		}},
		{"nothing about IDs", func(c *dataknobs.Cond) dataknobs.Support {
			if c.Path.IsID() {
				return no
			}
			return full.Filter(c)
		}},
		{"everything roughly", func(*dataknobs.Cond) dataknobs.Support { return rough }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := memory.New(memory.Options{})
			f := *d.Features()
			f.Filter = c.filter
			for _, name := range []string{"a", "b"} {
				db := tenant(t, &featuring{d, f}, name)
				for i, id := range []string{"x", "y", "z"} {
					if _, err := db.Create(t.Context(), record(id, i)); err != nil {
						t.Fatal(err)
					}
				}
			}
			db := tenant(t, &featuring{d, f}, "a")
			for text, want := range map[string][]string{
				"": {"x", "y", "z"}, "_id > 'x' order by _id": {"y", "z"}, "_id like '_'": {"x", "y", "z"}, "_id matches '^y$'": {"y"},
				"n >= 1 order by _id desc limit 1": {"z"}, "_id in ('x', 3)": {"x"}, "not _id starts with 'x' order by _id": {"y", "z"}, "order by _id limit 2 offset 1": {"y", "z"},
			} {
				recs, err := db.All(t.Context(), dataknobs.MustParse(text))
				if got := slices.Sorted(slices.Values(idsOf(recs))); err != nil || !slices.Equal(got, want) {
					t.Errorf("%q: got %q (error %v), wanted %q", text, got, err, want)
				}
			}
			if n, err := db.Count(t.Context(), nil); err != nil || n != 3 {
				t.Errorf("count: got %d (error %v), wanted 3", n, err)
			}
		})
	}
}
