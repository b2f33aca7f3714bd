package dataknobs

import (
	"context"
	"fmt"
	"strings"
)

// defaultBatch is how many writes go to a driver in one Apply where it names
// no better number and several calls may run at once.
const defaultBatch = 1000

// A BatchOption changes how a batch is applied.
type BatchOption func(*batchOptions)

type batchOptions struct {
	atomic         bool
	parallel, size int
}

// Atomic makes a batch all or nothing. A store that cannot do that refuses the
// batch with Unsupported before anything is written: see Features.Atomic.
func Atomic() BatchOption { return func(o *batchOptions) { o.atomic = true } }

// Parallel bounds how much of a batch is under way at once, where the store
// gains from that. Without it the bound is Options.Workers, or the store's own.
func Parallel(n int) BatchOption { return func(o *batchOptions) { o.parallel = n } }

// BatchSize bounds how many writes are handed to the store at once. A store's
// own bound stays in force.
func BatchSize(n int) BatchOption { return func(o *batchOptions) { o.size = n } }

// A Patch is one change of a record for [DB.PatchMany].
type Patch struct {
	ID       string
	Changes  []Change
	Revision string // if not empty, must be the record's revision, else Conflict
}

// An ItemError says why one item of a batch was not written.
type ItemError struct {
	Index int    // in the batch, or in the stream of a Load
	ID    string // may be empty
	Err   error
}

// Error returns the item's place, ID and cause.
func (e ItemError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("item %d: %v", e.Index, e.Err)
	}
	return fmt.Sprintf("item %d, record %q: %v", e.Index, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e ItemError) Unwrap() error { return e.Err }

// A BatchError says which items of a batch failed, in the order of their
// indexes. Everything else was applied; of an atomic batch nothing was, and
// Errors are the items to blame.
type BatchError struct {
	Op     string
	Store  string
	Errors []ItemError // at least one
	Total  int         // how many items the batch had
}

// maxListed bounds how many items the text of an error lists.
const maxListed = 5

// Error lists the first failed items.
func (e *BatchError) Error() string {
	var b strings.Builder
	for _, s := range []string{e.Op, e.Store} {
		if s != "" {
			b.WriteString(strings.TrimSuffix(s, ":") + ": ")
		}
	}
	fmt.Fprintf(&b, "%d of %d failed: ", len(e.Errors), e.Total)
	listItems(&b, e.Errors)
	return b.String()
}

func listItems(b *strings.Builder, items []ItemError) {
	for i, it := range items {
		if i == maxListed {
			fmt.Fprintf(b, "; and %d more", len(items)-i)
			return
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(it.Error())
	}
}

// Unwrap returns the causes.
func (e *BatchError) Unwrap() []error { return causes(e.Errors) }

func causes(items []ItemError) []error {
	errs := make([]error, len(items))
	for i, it := range items {
		errs[i] = it.Err
	}
	return errs
}

// CreateMany is Create for many records, in parts that run in parallel within
// a bound. It returns one result for each record, by index, and a *BatchError
// if any failed; the others are applied all the same.
func (db *DB) CreateMany(ctx context.Context, recs []*Record, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "create", writesOf(recs, createOf), opts)
}

// PutMany is Put for many records; see [DB.CreateMany].
func (db *DB) PutMany(ctx context.Context, recs []*Record, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "put", writesOf(recs, putOf), opts)
}

// UpdateMany is Update for many records; see [DB.CreateMany].
func (db *DB) UpdateMany(ctx context.Context, recs []*Record, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "update", writesOf(recs, updateOf), opts)
}

// PatchMany is Patch for many records; see [DB.CreateMany].
func (db *DB) PatchMany(ctx context.Context, patches []Patch, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "patch", writesOf(patches, func(p Patch) Write {
		return Write{Op: WritePatch, ID: p.ID, Changes: p.Changes, If: IfPresent, Revision: p.Revision}
	}), opts)
}

// DeleteMany is Delete for many records; see [DB.CreateMany].
func (db *DB) DeleteMany(ctx context.Context, ids []string, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "delete", writesOf(ids, func(id string) Write {
		return Write{Op: WriteDelete, ID: id, If: IfPresent}
	}), opts)
}

// Apply applies any mix of writes; see [DB.CreateMany]. Writes of the same
// record apply in their order.
func (db *DB) Apply(ctx context.Context, ws []Write, opts ...BatchOption) ([]Result, error) {
	return db.applyMany(ctx, "apply", append([]Write(nil), ws...), opts)
}

func writesOf[T any](items []T, f func(T) Write) []Write {
	ws := make([]Write, len(items))
	for i, it := range items {
		ws[i] = f(it)
	}
	return ws
}
