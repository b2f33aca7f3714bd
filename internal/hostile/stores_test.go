package hostile_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
	"dataknobs.dev/dataknobs/internal/servers"
)

// stores are a fresh one of each kind.
var stores = map[string]func(t *testing.T) string{
	"memory": func(*testing.T) string { return "memory:" },
	"file":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "x.ndjson") },
	"sqlite": func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "x.db") },
	"postgres": func(t *testing.T) string {
		return servers.Postgres(t) + fmt.Sprintf("?table=hostile_%x", rand.Uint64())
	},
	"elasticsearch": func(t *testing.T) string {
		return "es+" + servers.Elasticsearch(t) + fmt.Sprintf("/hostile-%x", rand.Uint64())
	},
}

// Every ID and every name of a field is refused before anything is written, or
// comes back as it was.
func TestIDsAndNamesOnEveryStore(t *testing.T) {
	for name, fresh := range stores {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && (name == "postgres" || name == "elasticsearch") {
				t.Skip("needs a server")
			}
			db, err := dataknobs.Open(t.Context(), fresh(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			ids, names := map[string]bool{}, 0
			for _, c := range hostile.IDs {
				keep(t, db, c, c.Make(), "n")
				ids[c.Make()] = c.Want == ""
			}
			for i, c := range hostile.Names {
				keep(t, db, c, fmt.Sprintf("name %d", i), c.Make())
				if c.Want == "" {
					names++
				}
			}
			want := names
			for _, kept := range ids {
				if kept {
					want++
				}
			}
			if n, err := db.Count(t.Context(), nil); err != nil || n != int64(want) {
				t.Errorf("there are %d records (%v), wanted %d", n, err, want)
			}
			if _, err := db.DeleteWhere(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func keep(t *testing.T, db *dataknobs.DB, c hostile.Case, id, field string) {
	t.Helper()
	_, err := db.Create(t.Context(), dataknobs.NewRecord(id, dataknobs.F(field, c.Name)))
	code := ""
	if err != nil {
		code = dataknobs.CodeOf(err).Error()
	}
	if code != c.Want || err != nil && len(err.Error()) > 4000 {
		t.Errorf("%s: Create(%.60q, %.60q): got %.300v, wanted the code %q", c.Name, id, field, err, c.Want)
	}
	if err != nil {
		return
	}
	where := dataknobs.And{&dataknobs.Cond{Path: dataknobs.Names(field), Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.String(c.Name)}}, dataknobs.P("_id").Eq(id)}
	for what, find := range map[string]func() (*dataknobs.Record, error){
		"Get":   func() (*dataknobs.Record, error) { return db.Get(t.Context(), id) },
		"First": func() (*dataknobs.Record, error) { return db.First(t.Context(), &dataknobs.Query{Where: where}) },
	} {
		r, err := find()
		if err != nil || r.ID != id || len(r.Fields) != 1 || r.Fields[0].Name != field || r.Fields[0].Value.Str() != c.Name {
			t.Errorf("%s: %s of %.60q with the field %.60q: got %v, %v", c.Name, what, id, field, r, err)
		}
	}
}
