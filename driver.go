package dataknobs

import (
	"context"
	"iter"
	"sync/atomic"
)

// A Driver stores the records of one store. Drivers translate; they never
// decide what a query means: the planner gives a driver only what its Features
// say it can do, and the engine finishes the rest.
//
// The engine calls a Driver from several goroutines at once. Every call obeys
// its context promptly. Errors are classified as [Error] where they are first
// seen. A Driver never keeps or changes a record that it is given; the engine
// has checked every record (Record.Check) before it comes here.
//
// Whether the records that Get and Scan yield belong to the receiver is said
// by Features.Shared. No sequence yields anything after an error.
type Driver interface {
	// Features says what the driver can do. No I/O. The answer changes only when
	// the driver learns something about its store, such as that the column it
	// took for a key repeats itself.
	Features() *Features
	// Get yields those of the records that exist, in any order. No ID is asked
	// for twice in one call.
	Get(ctx context.Context, ids []string) iter.Seq2[*Record, error]
	// Scan yields the records that s asks for. Ranging again runs it again.
	// Leaving the loop early frees all that it holds. Where it meets a record that
	// it cannot put in the order of OrderBy exactly, it may end with [ErrInexact]
	// after the records that come before.
	Scan(ctx context.Context, s *Scan) iter.Seq2[*Record, error]
	// Apply applies the writes and returns one result for each, by index. The
	// error is for the call as a whole (cancelled, store gone): then the results
	// say what is known to have been applied. Writes to the same ID apply in
	// their order. When Apply returns, what was applied is as durable as the
	// store makes it and every later Get and Scan of this Driver sees it.
	Apply(ctx context.Context, b *Batch) ([]Result, error)
	// Close frees everything. Calls after it fail with InvalidArgument.
	Close() error
}

// Fidelity says how exactly a driver can do a part of a query.
type Fidelity uint8

// The fidelities.
const (
	None  Fidelity = iota // not at all: done above
	Rough                 // never loses a record that belongs, may let others through: checked again above
	Exact                 // exactly the contract's answer
)

var fidelityNames = [...]string{"none", "rough", "exact"}

// String returns "none", "rough" or "exact".
func (f Fidelity) String() string { return fidelityNames[f] }

// Support is a driver's answer about one part of a query.
type Support struct {
	Fidelity Fidelity
	Reason   string // for Explain: why it is not exact
}

// Features says what a driver can do.
type Features struct {
	// Filter says how exactly the driver evaluates one condition (never a Not,
	// never on an aggregate). nil: not at all. A driver that answers better
	// than None for two conditions can push any AND and OR of them.
	Filter func(c *Cond) Support
	// Sort says whether Scan can yield in that order, ties by _id included.
	// Rough counts as None. nil: never.
	Sort func(os []Order) Support
	// SortLimit, if not 0: what Sort calls exact holds only for a scan with a
	// limit that, with its offset, is no more than this (the driver keeps so many
	// records and sorts nothing else).
	SortLimit int
	// Limit: Scan obeys Limit and Offset.
	Limit bool
	// Seek: Scan obeys After.
	Seek bool
	// Project: Scan may be told the paths that matter and leave out the rest.
	Project bool
	// Aggregate says whether the driver (then an [Aggregator]) can do that
	// aggregation exactly. Rough counts as None. nil: never.
	Aggregate func(a *Aggregation) Support

	// NaturalOrder: an unordered Scan yields in an order of the store's own that
	// stays, and records carry their Position in it. Without it, an unordered
	// query that is paged runs in _id order.
	NaturalOrder bool
	// Shared: records that the driver yields may still be held by the driver or
	// by other readers: the engine clones them before anyone may change them.
	Shared bool

	// ReadOnly says why nothing can be written; "": writes are possible.
	ReadOnly string
	// Atomic: Apply can apply a batch all or nothing.
	Atomic bool
	// Key names the fields whose text makes the ID, for stores over plain rows
	// that someone keyed; nil: the ID stands by itself. The engine fills in and
	// checks ID and fields on every write.
	Key []string
	// AssignsIDs: a record created without an ID gets it from the driver, in
	// its Result. Otherwise the engine gives it a UUIDv7.
	AssignsIDs bool
	// RowIDs says why single records cannot be changed, for stores whose IDs are
	// mere row numbers: Put, Update, Patch, Delete and a Create with an ID are
	// refused with it. "": IDs are real.
	RowIDs string
	// Metadata: records may have metadata.
	Metadata bool
	// MaxRecord bounds the encoded bytes of a record; 0: MaxRecordBytes.
	MaxRecord int
	// MaxBatch is the largest number of writes that make one good Apply; 0: any.
	MaxBatch int
	// Parallel: Apply gains from being called by several goroutines at once.
	Parallel bool
}

// A Scan is the part of a query that a driver does. Fields that the driver's
// Features do not cover are always zero.
type Scan struct {
	Where   Expr    // nil: all. Made of And, Or and *Cond only
	OrderBy []Order // nil: natural order if there is one, else any
	Limit   int     // with HasLimit
	Offset  int
	// HasLimit: at most Limit records, 0 included.
	HasLimit bool
	// After continues after a record of an earlier scan of the same order.
	After *Seek
	// Paths are the only values that anyone will look at; nil: everything. The
	// driver may leave out the rest, and keeps nesting ({a: {b: 1}} for a.b). None
	// steps into an array: an array is wanted whole.
	Paths []Path
	// NoID, NoRevision: nobody will look at the IDs, the revisions. A driver to
	// which they are costly may leave them empty.
	NoID, NoRevision bool
	// Workers bounds how many goroutines the scan may use; 0: one per core.
	Workers int
	// Stats, if not nil, is added to while the scan runs.
	Stats *ScanStats
}

// A Seek is a place in an order.
type Seek struct {
	Keys     []Value // the values of the order's keys in the last record
	ID       string  // its ID
	Position uint64  // its position, where OrderBy is empty
}

// ScanStats counts what a scan cost. Its fields may be read at any time.
type ScanStats struct {
	Records atomic.Int64 // records looked at in the store
	Bytes   atomic.Int64 // bytes read from the store
	Skipped atomic.Int64 // records passed over unread, by an index or statistics
	Calls   atomic.Int64 // round trips to a server
}

// An Aggregation is one grouped computation.
type Aggregation struct {
	Where   Expr     // as in Scan
	GroupBy []Path   // none: one group of all
	Columns []Column // the aggregates (Agg is never NoAgg)
	Workers int
	Stats   *ScanStats
}

// A WriteOp says what a write does.
type WriteOp uint8

// The write operations.
const (
	WritePut    WriteOp = iota + 1 // make the record what Record says, whole
	WritePatch                     // change what Changes says, keep the rest
	WriteDelete                    // remove the record
)

// A Condition says when a write applies.
type Condition uint8

// The conditions.
const (
	Always    Condition = iota
	IfAbsent            // else AlreadyExists
	IfPresent           // else NotFound
)

// A Write is one change of one record.
type Write struct {
	Op WriteOp
	// ID is the record's; empty only where the driver assigns IDs.
	ID string
	// Record is what to put (its ID is ID). Not kept, not changed.
	Record *Record
	// Changes are for WritePatch, applied in order: see [ApplyChanges].
	Changes []Change
	// If is checked first: a WritePatch and a WriteDelete are always IfPresent.
	If Condition
	// Revision, if not empty, must be the record's revision, else Conflict. An
	// absent record is then NotFound.
	Revision string
}

// A Change sets or removes the value at one path of a record.
type Change struct {
	Path   Path // a field, a nested field, an array element, or _meta.…
	Value  Value
	Remove bool
}

// A Batch is what one Apply does.
type Batch struct {
	Writes []Write
	// Atomic: all or nothing. Set only where Features.Atomic says so. When a
	// write fails, its Result has its cause, all others have [ErrNotApplied].
	Atomic bool
	// Workers bounds how many writes may be under way at once; 0: the driver's choice.
	Workers int
}

// A Result says what became of one write.
type Result struct {
	ID       string // where the driver assigned it
	Revision string // the record's new revision; empty after a delete
	Created  bool   // there was no such record before
	Err      error  // nil: applied, and acknowledged as durable
}

// ErrNotApplied is the result of a write that was not applied because another
// write of the same atomic batch failed.
var ErrNotApplied error = Errorf(Conflict, "not applied: another write of the atomic batch failed")

// Optional interfaces. Each only makes something faster or tells more; the
// engine has a fallback with the same result.
type (
	// A Getter gets one record at less cost than Get: nil if there is none.
	Getter interface {
		GetOne(ctx context.Context, id string) (*Record, error)
	}
	// A Counter counts without yielding. where is exact for the driver, or nil.
	Counter interface {
		Count(ctx context.Context, where Expr, stats *ScanStats) (int64, error)
	}
	// An Aggregator computes groups; called only for what Features.Aggregate
	// calls exact, and with an exact Where. It yields one Group each, in any order.
	// Where a value turns up that it cannot compute with exactly, it yields
	// [ErrInexact] in place of the first Group.
	Aggregator interface {
		Aggregate(ctx context.Context, a *Aggregation) iter.Seq2[Group, error]
	}
	// A Loader takes a long stream of new records faster than Apply: see
	// [LoadRequest] for what it must keep.
	Loader interface {
		Load(ctx context.Context, req *LoadRequest) (handled bool, err error)
	}
	// A Schemer knows what its records hold without the engine reading them all,
	// or reads them itself at a lower cost.
	Schemer interface {
		Schema(ctx context.Context) (*Schema, error)
	}
	// A Namer knows the names of all top-level fields, cheaply: each query asks.
	// nil: not known. The caller does not change them.
	Namer interface {
		FieldNames(ctx context.Context) ([]string, error)
	}
	// A Typed store knows the kinds at each of the paths, from a declaration or
	// from all of its records. 0 where it does not know.
	Typed interface {
		Kinds(ctx context.Context, paths []Path) ([]KindSet, error)
	}
	// An Explainer describes how it would run a scan or, where scan is nil, an
	// aggregation: lines for a person, one step each.
	Explainer interface {
		Explain(ctx context.Context, scan *Scan, agg *Aggregation) ([]string, error)
	}
	// An Analyzer is an Explainer that can also run what it explains, in the store
	// alone, so that its lines say what each step took. It is asked in place of
	// Explain where the query is analyzed, and changes nothing.
	Analyzer interface {
		Analyze(ctx context.Context, scan *Scan, agg *Aggregation) ([]string, error)
	}
	// An Epocher says in which epoch its positions are: cursor tokens of another
	// epoch are resumed by ID.
	Epocher interface {
		Epoch(ctx context.Context) (string, error)
	}
	// A Syncer makes all acknowledged writes durable and visible to others in the
	// store's own form, such as folding a journal into its file.
	Syncer interface {
		Sync(ctx context.Context) error
	}
)

// A Layer is a Driver around another one, such as those of the package layer.
// It may have the methods of every optional interface: only those count that
// the driver inside has too. See [Ability].
type Layer interface {
	Driver
	// Unwrap returns the driver inside.
	Unwrap() Driver
}

// Ability returns d as T, one of the optional interfaces, if the store can do
// that: d has T's methods and, where d is a [Layer], so has the driver inside,
// and so on inwards.
func Ability[T any](d Driver) (T, bool) {
	able, ok := d.(T)
	for ok {
		l, wraps := d.(Layer)
		if !wraps {
			break
		}
		d = l.Unwrap()
		_, ok = d.(T)
	}
	if !ok {
		var none T
		return none, false
	}
	return able, true
}

// A Group is one group of an aggregation: its keys in the order of GroupBy and
// its aggregates in the order of Columns.
type Group struct {
	Keys   []Value
	Values []Value
}

// A LoadRequest is a stream of records for a [Loader]. The Loader may decline
// by returning handled=false before it has taken a record from Records. Once
// it has taken one it handles the whole stream: it stores every record under
// Mode's rule, or none at all when it returns an error.
type LoadRequest struct {
	// Records yields each record, checked and with its ID, once. A record is
	// lent until Load returns. An error among them ends the load.
	Records iter.Seq2[*Record, error]
	Mode    LoadMode
	// Schema, if not nil, is what the source says its records hold: a hint for
	// choosing columns, not to be trusted.
	Schema *Schema
	// Written counts the records stored so far; for progress.
	Written atomic.Int64
	// Skipped counts the records that LoadSkip left alone.
	Skipped atomic.Int64
}

// LoadMode says what a load does about records that exist.
type LoadMode uint8

// The modes of a load.
const (
	LoadCreate LoadMode = iota // AlreadyExists is an error
	LoadPut                    // replace
	LoadSkip                   // leave the one that exists
)
