package dataknobs

import (
	"context"
	"iter"
	"reflect"
)

// A Collection is a DB whose records are structs of type T.
//
// A field of the struct is the record's field of the name that its dk tag gives,
// else its json tag, else the Go name itself:
//
//	type Person struct {
//		ID    string    `dk:"_id"`
//		Rev   string    `dk:"_rev"`
//		Name  string    `dk:"name"`
//		Email string    `dk:"email,omitempty"` // left out where it is empty
//		Born  time.Time `json:"born"`
//		Notes any       `dk:"-"`               // no part of the record
//	}
//
// The tags _id, _rev (strings) and _meta (a struct, Fields or a map) are the
// record's ID, revision and metadata. Fields of embedded structs count as the
// struct's own; unexported ones are left out. Values are bools, integers,
// floats, strings, []byte, time.Time, structs, slices, arrays, maps with string keys,
// pointers to these (nil is null), any, Value, Fields, and types that are an
// encoding.TextMarshaler, which become strings.
//
// A Collection is safe for concurrent use.
type Collection[T any] struct{ db *DB }

// NewCollection returns a typed view of db. T must be a struct whose tags are
// in order; otherwise InvalidArgument. Closing db closes the collection.
func NewCollection[T any](db *DB) (*Collection[T], error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return nil, Errorf(InvalidArgument, "a collection is of structs, not of %s", t)
	}
	if _, err := structPlanOf(t); err != nil {
		return nil, err
	}
	return &Collection[T]{db}, nil
}

// DB returns the untyped store.
func (c *Collection[T]) DB() *DB { return c.db }

// In returns the same view of another DB, such as the one of a transaction.
func (c *Collection[T]) In(db *DB) *Collection[T] { return &Collection[T]{db} }

// Get returns the record of that ID, or NotFound.
func (c *Collection[T]) Get(ctx context.Context, id string) (T, error) {
	rec, err := c.db.Get(ctx, id)
	return c.decode("get", rec, err)
}

// GetMany returns the records of those IDs, by index; nil where there is none.
func (c *Collection[T]) GetMany(ctx context.Context, ids []string) ([]*T, error) {
	recs, err := c.db.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*T, len(recs))
	for i, rec := range recs {
		if rec == nil {
			continue
		}
		x, err := c.decode("get", rec, nil)
		if err != nil {
			return nil, err
		}
		out[i] = &x
	}
	return out, nil
}

// Create stores a new record; see [DB.Create].
func (c *Collection[T]) Create(ctx context.Context, x T, opts ...WriteOption) (Result, error) {
	rec, err := c.encode("create", &x)
	if err != nil {
		return Result{}, err
	}
	return c.db.Create(ctx, rec, opts...)
}

// Put stores a record, new or not; see [DB.Put].
func (c *Collection[T]) Put(ctx context.Context, x T, opts ...WriteOption) (Result, error) {
	rec, err := c.encode("put", &x)
	if err != nil {
		return Result{}, err
	}
	return c.db.Put(ctx, rec, opts...)
}

// Update replaces a record; see [DB.Update].
func (c *Collection[T]) Update(ctx context.Context, x T, opts ...WriteOption) (Result, error) {
	rec, err := c.encode("update", &x)
	if err != nil {
		return Result{}, err
	}
	return c.db.Update(ctx, rec, opts...)
}

// Patch changes parts of a record; see [DB.Patch].
func (c *Collection[T]) Patch(ctx context.Context, id string, changes []Change, opts ...WriteOption) (Result, error) {
	return c.db.Patch(ctx, id, changes, opts...)
}

// Delete removes a record; see [DB.Delete].
func (c *Collection[T]) Delete(ctx context.Context, id string, opts ...WriteOption) error {
	return c.db.Delete(ctx, id, opts...)
}

// CreateMany stores new records; see [DB.CreateMany].
func (c *Collection[T]) CreateMany(ctx context.Context, xs []T, opts ...BatchOption) ([]Result, error) {
	recs, err := c.encodeAll("create", xs)
	if err != nil {
		return nil, err
	}
	return c.db.CreateMany(ctx, recs, opts...)
}

// PutMany stores records, new or not; see [DB.PutMany].
func (c *Collection[T]) PutMany(ctx context.Context, xs []T, opts ...BatchOption) ([]Result, error) {
	recs, err := c.encodeAll("put", xs)
	if err != nil {
		return nil, err
	}
	return c.db.PutMany(ctx, recs, opts...)
}

// Query parses a text and runs it; see [DB.Query].
func (c *Collection[T]) Query(ctx context.Context, text string, args ...any) iter.Seq2[T, error] {
	return c.decodeAll(c.db.Query(ctx, text, args...))
}

// Run runs a query; see [DB.Run].
func (c *Collection[T]) Run(ctx context.Context, q *Query, opts ...RunOption) iter.Seq2[T, error] {
	return c.decodeAll(c.db.Run(ctx, q, opts...))
}

// All returns everything that a query yields.
func (c *Collection[T]) All(ctx context.Context, q *Query, opts ...RunOption) ([]T, error) {
	var all []T
	for x, err := range c.Run(ctx, q, opts...) {
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// First returns the first record that a query yields, or NotFound.
func (c *Collection[T]) First(ctx context.Context, q *Query, opts ...RunOption) (T, error) {
	rec, err := c.db.First(ctx, q, opts...)
	return c.decode("query", rec, err)
}

func (c *Collection[T]) encode(op string, x *T) (*Record, error) {
	rec, err := ToRecord(x)
	return rec, c.db.fail(op, "", err)
}

func (c *Collection[T]) encodeAll(op string, xs []T) ([]*Record, error) {
	recs := make([]*Record, len(xs))
	for i := range xs {
		rec, err := ToRecord(&xs[i])
		if err != nil {
			return nil, c.db.fail(op, "", ItemError{Index: i, Err: err})
		}
		recs[i] = rec
	}
	return recs, nil
}

func (c *Collection[T]) decode(op string, rec *Record, err error) (T, error) {
	var x T
	if err == nil {
		err = c.db.fail(op, idOf(rec), FromRecord(rec, &x))
	}
	return x, err
}

func (c *Collection[T]) decodeAll(seq iter.Seq2[*Record, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for rec, err := range seq {
			x, err := c.decode("query", rec, err)
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}
