package drivertest

import (
	"context"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
)

// A columnStore is the memory driver as a table with typed columns would be:
// keyed by a column of texts, picky about kinds, and without explicit nulls in
// its columns.
type columnStore struct {
	*memory.Driver
	f    dataknobs.Features
	cols []Column
}

func newColumnStore(cols []Column) *columnStore {
	d := &columnStore{Driver: memory.New(memory.Options{}), cols: cols}
	d.f = *d.Driver.Features()
	d.f.Key = []string{"id"}
	d.f.NaturalOrder, d.f.Atomic = false, false
	return d
}

func (d *columnStore) Features() *dataknobs.Features { return &d.f }

func (d *columnStore) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	results := make([]dataknobs.Result, len(b.Writes))
	for i, w := range b.Writes {
		if err := d.fit(&w); err != nil {
			results[i] = dataknobs.Result{Err: err}
			continue
		}
		one, err := d.Driver.Apply(ctx, &dataknobs.Batch{Writes: []dataknobs.Write{w}})
		if err != nil {
			return results[:i], err
		}
		results[i] = one[0]
	}
	return results, nil
}

// fit makes a write fit the columns, or says why it does not.
func (d *columnStore) fit(w *dataknobs.Write) error {
	for _, c := range d.cols {
		if w.Record != nil {
			v, there := w.Record.Fields.Get(c.Name)
			if err := c.takes(v); err != nil {
				return err
			}
			if there && v.IsNull() {
				w.Record = w.Record.Clone()
				w.Record.Fields.Delete(c.Name)
			}
		}
		changes := make([]dataknobs.Change, len(w.Changes))
		for i, ch := range w.Changes {
			if ch.Path[0].Name == c.Name {
				if len(ch.Path) > 1 && !ch.Remove {
					return dataknobs.Errorf(dataknobs.InvalidArgument, "a step into the column %s", c)
				}
				if err := c.takes(ch.Value); err != nil && !ch.Remove {
					return err
				}
				ch.Remove = ch.Remove || ch.Value.IsNull()
			}
			changes[i] = ch
		}
		w.Changes = changes
	}
	return nil
}

func (c Column) takes(v dataknobs.Value) error {
	if v.IsNull() || v.Kind() == c.Kind {
		return nil
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "the column %s cannot hold a %s", c, v.Kind())
}

func TestColumns(t *testing.T) {
	seen := map[string]int{}
	Run(t, Harness{
		OpenColumns: func(_ *testing.T, cols []Column) *dataknobs.DB {
			for _, c := range cols {
				seen[c.Kind.String()]++
			}
			return dataknobs.New(newColumnStore(cols), nil)
		},
		Beside: func(_ *testing.T, db *dataknobs.DB) *dataknobs.DB { return dataknobs.New(db.Driver(), nil) },
	})
	t.Logf("typed columns by kind: %v", seen)
	for k := dataknobs.KindBool; k <= dataknobs.KindBytes; k++ {
		if seen[k.String()] < 10 {
			t.Errorf("only %d columns of kind %s were tried", seen[k.String()], k)
		}
	}
}
