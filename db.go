package dataknobs

import (
	"context"
	"errors"
	"sync/atomic"
)

// A DB is an opened store. It is safe for concurrent use. Close it when done.
//
// Every error of its methods is an [Error] with a code, or wraps
// context.Canceled or context.DeadlineExceeded. A record that a method takes is
// neither kept nor changed; a record that it returns is the caller's own.
type DB struct {
	d        Driver
	getter   Getter // d, if it is one: asked for so often that it is kept
	name     string
	warn     func(string)
	workers  int
	readOnly bool
	closed   atomic.Bool
	open     openSet // queries that are being ranged over
	tx       *txn    // nil: not of a transaction
}

// Name returns how the store may be shown: Options.Name, or its location
// without options and passwords.
func (db *DB) Name() string { return db.name }

// Driver returns the store's driver, for what only that driver can do.
func (db *DB) Driver() Driver { return db.d }

// Features says what the store can do by itself. Nobody may change it.
func (db *DB) Features() *Features { return db.f() }

// f is what the driver can do, asked anew for each use: a store may learn.
func (db *DB) f() *Features { return db.d.Features() }

// Close closes the store and frees everything. Calls under way may fail; later
// ones fail with InvalidArgument. Closing again does nothing and returns nil.
//
// Queries that are still being ranged over are named to Options.Warn, with
// their number and age: see OpenQueries.
func (db *DB) Close() error {
	if db.tx != nil {
		return db.fail("close", "", errTxClose)
	}
	if db.closed.Swap(true) {
		return nil
	}
	if n, oldest := db.open.count(); n > 0 {
		db.warn("the store was closed while " + stillOpen(n, oldest))
	}
	return annotate(db.d.Close(), "close", db.name, "")
}

// Sync makes all acknowledged writes durable and visible to others in the
// store's own form, such as folding a journal into its file. Where a store has
// nothing to do for that, Sync does nothing.
func (db *DB) Sync(ctx context.Context) error {
	if err := db.usable(); err != nil {
		return db.fail("sync", "", err)
	}
	if s, ok := Ability[Syncer](db.d); ok {
		_, err := call(ctx, db, func() (struct{}, error) { return struct{}{}, s.Sync(ctx) })
		return db.fail("sync", "", err)
	}
	return nil
}

var errClosed = Errorf(InvalidArgument, "the store is closed")

func (db *DB) usable() error {
	if db.closed.Load() {
		return errClosed
	}
	if db.tx != nil {
		return db.tx.usable()
	}
	return nil
}

// fail completes an error on its way out with what it was about.
func (db *DB) fail(op, id string, err error) error {
	if err == nil {
		return nil
	}
	var many *BatchError
	if errors.As(err, &many) {
		return err
	}
	return annotate(err, op, db.name, id)
}

// Get returns the record of that ID, or NotFound.
func (db *DB) Get(ctx context.Context, id string) (*Record, error) {
	rec, err := db.get(ctx, id)
	if err == nil && rec == nil {
		err = NotFound
	}
	if err != nil {
		return nil, db.fail("get", id, err)
	}
	return db.own(rec), nil
}

// get returns the driver's record; nil if there is none.
func (db *DB) get(ctx context.Context, id string) (*Record, error) {
	if err := db.usable(); err != nil {
		return nil, err
	}
	if err := CheckID(id); err != nil {
		return nil, err
	}
	if db.tx != nil {
		return call(ctx, db, func() (*Record, error) { return db.getNow(ctx, id) })
	}
	return db.getNow(ctx, id)
}

func (db *DB) getNow(ctx context.Context, id string) (*Record, error) {
	if db.getter != nil {
		return db.getter.GetOne(ctx, id)
	}
	return db.getFirst(ctx, id)
}

// getFirst is get for a driver without GetOne; apart, because what its loop
// captures is allocated.
func (db *DB) getFirst(ctx context.Context, id string) (*Record, error) {
	for rec, err := range db.d.Get(ctx, []string{id}) {
		return rec, err
	}
	return nil, ctx.Err()
}

// own makes a driver's record the caller's.
func (db *DB) own(rec *Record) *Record {
	if db.f().Shared {
		return rec.Clone()
	}
	return rec
}

// GetMany returns the records of those IDs, by index; nil where there is none.
// An ID may be asked for more than once.
func (db *DB) GetMany(ctx context.Context, ids []string) ([]*Record, error) {
	recs, err := db.getMany(ctx, ids)
	return recs, db.fail("get", "", err)
}

func (db *DB) getMany(ctx context.Context, ids []string) ([]*Record, error) {
	if err := db.usable(); err != nil {
		return nil, err
	}
	places := make(map[string]int, len(ids)) // where an ID is asked for first
	var unique []string
	for i, id := range ids {
		if err := CheckID(id); err != nil {
			return nil, annotate(err, "", "", id)
		}
		if _, again := places[id]; !again {
			places[id] = i
			unique = append(unique, id)
		}
	}
	recs := make([]*Record, len(ids))
	if len(ids) == 0 {
		return recs, ctx.Err()
	}
	_, err := call(ctx, db, func() (struct{}, error) {
		for rec, err := range db.d.Get(ctx, unique) {
			if err != nil {
				return struct{}{}, err
			}
			if i, ok := places[rec.ID]; ok {
				recs[i] = db.own(rec)
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if first := places[id]; first != i && recs[first] != nil {
			recs[i] = recs[first].Clone()
		}
	}
	return recs, ctx.Err()
}

// A WriteOption changes how one record is written.
type WriteOption func(*Write) error

// IfRevision makes a write conditional: unless the record still has that
// revision, the write fails with Conflict and changes nothing. Create refuses
// it, and so does everything an empty revision.
func IfRevision(revision string) WriteOption {
	return func(w *Write) error {
		if revision == "" {
			return Errorf(InvalidArgument, "IfRevision was given an empty revision")
		}
		w.Revision = revision
		return nil
	}
}

// Create stores a new record, or fails with AlreadyExists. A record without an
// ID gets one: a UUIDv7, or what the store assigns; it is in the Result.
func (db *DB) Create(ctx context.Context, rec *Record, opts ...WriteOption) (Result, error) {
	return db.write(ctx, "create", createOf(rec), opts)
}

// Put stores a record, replacing the one of its ID whole if there is one.
func (db *DB) Put(ctx context.Context, rec *Record, opts ...WriteOption) (Result, error) {
	return db.write(ctx, "put", putOf(rec), opts)
}

// Update replaces the record of that ID whole, or fails with NotFound.
func (db *DB) Update(ctx context.Context, rec *Record, opts ...WriteOption) (Result, error) {
	return db.write(ctx, "update", updateOf(rec), opts)
}

// Patch applies the changes to the record of that ID, all at once, and keeps
// the rest of it; or fails with NotFound.
func (db *DB) Patch(ctx context.Context, id string, changes []Change, opts ...WriteOption) (Result, error) {
	return db.write(ctx, "patch", Write{Op: WritePatch, ID: id, Changes: changes, If: IfPresent}, opts)
}

// Delete removes the record of that ID, or fails with NotFound.
func (db *DB) Delete(ctx context.Context, id string, opts ...WriteOption) error {
	_, err := db.write(ctx, "delete", Write{Op: WriteDelete, ID: id, If: IfPresent}, opts)
	return err
}

func createOf(rec *Record) Write { return Write{Op: WritePut, Record: rec, If: IfAbsent} }
func putOf(rec *Record) Write    { return Write{Op: WritePut, Record: rec} }
func updateOf(rec *Record) Write { return Write{Op: WritePut, Record: rec, If: IfPresent} }

// A single is a batch of one write, in one piece of memory.
type single struct {
	batch  Batch
	writes [1]Write
}

// write does one write.
func (db *DB) write(ctx context.Context, op string, what Write, opts []WriteOption) (Result, error) {
	s := &single{writes: [1]Write{what}}
	s.batch = Batch{Writes: s.writes[:], Workers: 1}
	w := &s.writes[0]
	id := w.ID
	if id == "" && w.Record != nil {
		id = w.Record.ID
	}
	for _, o := range opts {
		if err := o(w); err != nil {
			return Result{}, db.fail(op, id, err)
		}
	}
	if err := db.writable(); err != nil {
		return Result{}, db.fail(op, id, err)
	}
	var err error
	if *w, err = db.prepare(ctx, *w); err != nil {
		return Result{}, db.fail(op, id, err)
	}
	res, err := db.applyOne(ctx, &s.batch)
	return res, db.fail(op, w.ID, err)
}

func (db *DB) applyOne(ctx context.Context, b *Batch) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	results, err := db.apply(ctx, b)
	switch {
	case err != nil:
		return Result{}, err
	case len(results) != 1:
		return Result{}, Errorf(Internal, "the driver returned %d results for one write", len(results))
	case results[0].Err != nil:
		return Result{}, results[0].Err
	}
	if id := b.Writes[0].ID; id != "" {
		results[0].ID = id
	}
	return results[0], nil
}

// writable says why nothing can be written; nil if writes are possible.
func (db *DB) writable() error {
	switch {
	case db.closed.Load():
		return errClosed
	case db.tx != nil && db.tx.usable() != nil:
		return db.tx.usable()
	case db.tx != nil && db.readOnly:
		return Errorf(PermissionDenied, "the transaction is for reading only")
	case db.readOnly:
		return Errorf(PermissionDenied, "the store was opened for reading only")
	case db.f().ReadOnly != "":
		return Errorf(Unsupported, "the store cannot be written: %s", db.f().ReadOnly)
	}
	return nil
}
