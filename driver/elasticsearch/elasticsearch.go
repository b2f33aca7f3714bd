// Package elasticsearch is the store in an Elasticsearch index, of a server of
// the versions 8 and 9.
//
// A record is one document. Its fields stand in it under their own names, as
// plain JSON; a part of its own, _dk, holds what the contract needs beside, so
// that every condition, sort and group means here what it means everywhere:
// docs/design/0007-elasticsearch-store.md tells how. Indexes that others made
// are read as they are.
//
// Start at [New], or open it by URL:
//
//	dataknobs.Open(ctx, "es+http://127.0.0.1:9200/people", nil)
//
// In the code, start at [Driver] here: mapping.go, name.go and key.go say how a
// record stands in the index, encode.go and decode.go turn it into a document
// and back; client.go and pages.go talk to the server; query.go, search.go,
// aggregate.go and count.go ask, scan.go and get.go read, write.go and bulk.go
// write. foreign.go is about the indexes of others.
package elasticsearch

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dataknobs.dev/dataknobs"
)

// CreateMode says what to do about an index that is not there.
type CreateMode uint8

// The modes.
const (
	CreateOnWrite CreateMode = iota // it is an empty store; the first write makes it
	CreateAlways                    // opening makes it
	CreateNever                     // opening fails with NotFound
)

// RefreshMode says when searches see what was written.
type RefreshMode string

// The modes.
const (
	RefreshAuto RefreshMode = ""         // this handle's searches see its writes: refreshed once before the next search
	RefreshNone RefreshMode = "false"    // when the server gets round to it
	RefreshWait RefreshMode = "wait_for" // a write returns when every search sees it
	RefreshNow  RefreshMode = "true"     // a write makes itself visible, at a cost
)

// Options are the settings of a store. Nodes and Index must be set; the zero
// value of all others is useful.
type Options struct {
	// Nodes are the servers, each with scheme, host and port. At least one.
	Nodes []*url.URL
	// Index is the index, or an alias of one or several.
	Index string

	User, Password string // with APIKey and Token, at most one way to log in
	APIKey         string // encoded, as the server hands it out
	Token          string // of a service account
	CAFile         string // PEM file with the certificates to trust

	Create   CreateMode
	ReadOnly bool // a DB refuses every write with Unsupported
	Refresh  RefreshMode

	// What an index is made with.
	Shards          int               // 0: the server's default
	Replicas        int               // negative: the server's default
	RefreshInterval string            // such as "5s"; "": the server's default
	Settings        map[string]any    // any settings of an index, by name
	Aliases         []string          // further names for it
	Types           map[string]string // field → kind, or "text": mapped naturally for other readers
	Analyzer        string            // of the fields of type text
	MaxFields       int               // bound on the fields of the mapping; 0: the server's default

	Compress    bool          // send and ask for gzip
	Connections int           // at most so many to each node; 0: any number
	Discover    time.Duration // how often to ask the cluster for its nodes; 0: never
	Timeout     time.Duration // of one request; 0: none
	Retries     int           // how often a request is tried again; negative: never, 0: 6
	KeepAlive   time.Duration // how long the server keeps a scan's view between pages; 0: 5 minutes
	BulkBytes   int           // about the size of a bulk request; 0: 5 MiB
	MaxBody     int           // the largest request the server takes; 0: 90 MiB
}

// Driver is a store in an index. It is safe for concurrent use.
type Driver struct {
	opts     Options
	client   *client
	features atomic.Pointer[dataknobs.Features]
	known    atomic.Pointer[mapping] // nil: nothing yet
	closed   atomic.Bool

	making sync.Mutex // held while the index or its mapping is changed

	wrote atomic.Int64 // bulk requests so far
	fresh atomic.Int64 // how many of them searches see
	// perAction is how many bytes an action of the last bulk request had.
	perAction atomic.Int64
	// refreshing is held by the one that refreshes.
	refreshing sync.Mutex
}

// maxRecord bounds a record. Its document is larger, and the server takes 100
// MB in one request.
const maxRecord = 32 << 20

// maxBatch is how many writes come in one Apply. The server waits for its disk
// once for each request, so fewer, larger ones are faster.
const maxBatch = 5000

// New opens a store.
func New(ctx context.Context, o Options) (*Driver, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	c, err := newClient(&o)
	if err != nil {
		return nil, err
	}
	d := &Driver{opts: o, client: c}
	d.features.Store(d.ownFeatures())
	d.wrote.Store(1) // what was written before, by a handle that is closed since, maybe
	m, err := d.mapping(ctx)
	if err == nil && m == nil && o.Create == CreateAlways {
		_, err = d.create(ctx)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return d, nil
}

func (o *Options) check() error {
	if len(o.Nodes) == 0 {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "no server is named")
	}
	if err := checkIndex(o.Index); err != nil {
		return err
	}
	if o.Retries == 0 {
		o.Retries = 6
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 5 * time.Minute
	}
	if o.BulkBytes == 0 {
		o.BulkBytes = 5 << 20
	}
	if o.MaxBody == 0 {
		o.MaxBody = 90 << 20
	}
	return nil
}

// checkIndex refuses names that the server would, and those that name several
// indexes.
func checkIndex(name string) error {
	errorf := func(what string) error {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the index name %q %s", name, what)
	}
	switch {
	case name == "":
		return dataknobs.Errorf(dataknobs.InvalidArgument, "no index is named").WithHint("write es+http://host:9200/INDEX")
	case len(name) > 250:
		return errorf("is too long")
	case strings.ContainsAny(name, "\\/*?\"<>| ,#:\x00\t\r\n%&;="):
		return errorf("has a character that it must not have")
	case strings.ToLower(name) != name:
		return errorf("has capital letters, which the server does not allow")
	case strings.ContainsRune("-_+", rune(name[0])) || name == "." || name == "..":
		return errorf("must not begin like that")
	}
	return nil
}

// ownFeatures is what the driver can do with an index of its own.
func (d *Driver) ownFeatures() *dataknobs.Features {
	f := &dataknobs.Features{
		Filter:    d.support,
		Sort:      supportSort,
		Aggregate: supportAggregate,
		Limit:     true,
		Seek:      true,
		Project:   true,
		Metadata:  true,
		MaxRecord: maxRecord,
		MaxBatch:  maxBatch,
		Parallel:  true,
	}
	if d.opts.ReadOnly {
		f.ReadOnly = "it was opened with readonly"
	}
	return f
}

func supportSort(os []dataknobs.Order) dataknobs.Support {
	for _, o := range os {
		if o.Path.IsID() {
			return exact // nothing after it matters
		}
		if _, ok := columnOf(o.Path); !ok {
			return not(whyNoKeys(o.Path))
		}
	}
	return exact
}

func whyNoKeys(p dataknobs.Path) string {
	if p.IsRevision() || p.IsMetadata() {
		return whySystem
	}
	return whyElement
}

// Features implements dataknobs.Driver.
func (d *Driver) Features() *dataknobs.Features { return d.features.Load() }

// Close frees the connections.
func (d *Driver) Close() error {
	if d.closed.CompareAndSwap(false, true) {
		d.client.close()
	}
	return nil
}

// path is the path of one of the index's interfaces; "" for the index itself.
func (d *Driver) path(what string) string {
	if what == "" {
		return "/" + url.PathEscape(d.opts.Index)
	}
	return "/" + url.PathEscape(d.opts.Index) + "/" + what
}

// guardName is the alias that writes go through, with the demand that it is
// there. A bulk request to an index that somebody has deleted would otherwise
// make a new one, with a mapping guessed from the first document.
func (d *Driver) guardName() string { return d.opts.Index + ".dk" }

// freshen makes this handle's earlier writes visible to searches.
func (d *Driver) freshen(ctx context.Context) error {
	if d.opts.Refresh != RefreshAuto || d.wrote.Load() <= d.fresh.Load() {
		return nil
	}
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	n := d.wrote.Load()
	if n <= d.fresh.Load() {
		return nil
	}
	if _, err := d.client.json(ctx, "POST", d.path("_refresh"), nil, nil); err != nil {
		return err
	}
	d.fresh.Store(n)
	return nil
}

// Sync implements dataknobs.Syncer: every search of anyone sees the writes.
func (d *Driver) Sync(ctx context.Context) error {
	m, err := d.mapping(ctx)
	if m == nil || err != nil {
		return err
	}
	_, err = d.client.json(ctx, "POST", d.path("_refresh"), nil, nil)
	return err
}

// FieldNames implements dataknobs.Namer.
func (d *Driver) FieldNames(ctx context.Context) ([]string, error) {
	m, err := d.mapping(ctx)
	if m == nil || err != nil {
		return nil, err
	}
	return m.names(), nil
}
