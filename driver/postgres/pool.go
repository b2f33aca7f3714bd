package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"dataknobs.dev/dataknobs"
)

// A pool is the connections of all stores of the same settings.
type pool struct {
	*pgxpool.Pool
	key     [sha256.Size]byte // of the settings, password included; never shown
	owned   bool              // closed with the last store
	pooler  Pooler
	acquire time.Duration // how long to wait for a connection

	refs   int // guarded by pools.mu
	failed atomic.Int64
	scans  scans
}

// pools are the pools that are open, by their settings.
var pools struct {
	mu sync.Mutex
	by map[[sha256.Size]byte]*pool // guarded by mu
}

// sharePool returns the pool of those settings, made if there is none yet. No
// connection is opened.
func sharePool(o *Options) (*pool, error) {
	wait := cmp.Or(o.Limits.AcquireTimeout, 30*time.Second)
	if o.Pool != nil {
		return &pool{Pool: o.Pool, pooler: o.Pooler, acquire: wait, refs: 1}, nil
	}
	c, err := o.poolConfig()
	if err != nil {
		return nil, err
	}
	key := poolKey(o, c)
	pools.mu.Lock()
	defer pools.mu.Unlock()
	if p := pools.by[key]; p != nil {
		p.refs++
		return p, nil
	}
	prepareConfig(c)
	px, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, configError(err)
	}
	p := &pool{Pool: px, key: key, owned: true, pooler: o.Pooler, acquire: wait, refs: 1}
	if pools.by == nil {
		pools.by = map[[sha256.Size]byte]*pool{}
	}
	pools.by[key] = p
	return p, nil
}

// release gives up one store's share; the last one closes the pool.
func (p *pool) release() {
	pools.mu.Lock()
	p.refs--
	last := p.refs == 0
	if last && p.owned {
		delete(pools.by, p.key)
	}
	pools.mu.Unlock()
	if last && p.owned {
		p.Pool.Close()
	}
}

// poolKey is a hash of all that makes connections differ: where they lead, as
// whom, with which secrets and certificates, and the bounds of the pool.
func poolKey(o *Options, c *pgxpool.Config) [sha256.Size]byte {
	h := sha256.New()
	add := func(texts ...string) {
		for _, t := range texts {
			fmt.Fprintf(h, "%d:%s", len(t), t)
		}
	}
	cc := c.ConnConfig
	add(cc.Host, fmt.Sprint(cc.Port), cc.Database, cc.User, cc.Password, fmt.Sprint(cc.ConnectTimeout))
	for _, f := range cc.Fallbacks {
		add(f.Host, fmt.Sprint(f.Port, f.TLSConfig != nil))
	}
	for _, name := range slices.Sorted(keys(cc.RuntimeParams)) {
		add(name, cc.RuntimeParams[name])
	}
	add(fmt.Sprint(o.Limits, o.Pooler, cc.TLSConfig != nil))
	for _, name := range slices.Sorted(keys(o.Conn)) {
		add(name, o.Conn[name])
		if strings.HasPrefix(name, "ssl") {
			add(fileStamp(o.Conn[name]))
		}
	}
	for _, name := range tlsVariables {
		add(name, os.Getenv(name), fileStamp(os.Getenv(name)))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

var tlsVariables = strings.Fields("PGSSLMODE PGSSLROOTCERT PGSSLCERT PGSSLKEY PGSSLPASSWORD PGSSLNEGOTIATION PGSSLSNI PGSSLCERTMODE PGTARGETSESSIONATTRS PGCHANNELBINDING PGREQUIREAUTH")

// fileStamp tells a replaced certificate from the one before.
func fileStamp(path string) string {
	info, err := os.Stat(path) //nolint:gosec // the caller's own certificates
	if path == "" || err != nil || info.IsDir() {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

// A vital is how a connection that lay idle looks.
type vital uint8

const (
	alive  vital = iota
	unsure       // only the server can tell
	dead         // closed by the server, or about to be
)

func prepareConfig(c *pgxpool.Config) {
	c.PingTimeout = 5 * time.Second
	c.PrepareConn = func(ctx context.Context, pc *pgx.Conn) (bool, error) {
		switch pulse(pc.PgConn().Conn()) {
		case dead:
			return false, nil
		case unsure:
			return pc.Ping(ctx) == nil, nil
		}
		return true, nil
	}
	c.ConnConfig.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler { return &canceller{pg: pg} }
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.ConnConfig.StatementCacheCapacity, c.ConnConfig.DescriptionCacheCapacity = 0, 0
}

// get takes a connection out of the pool; the caller gives it back with put.
func (p *pool) get(ctx context.Context) (*conn, error) {
	wait := &patience{Context: ctx, limit: p.acquire}
	defer wait.end()
	pc, err := p.Pool.Acquire(wait)
	if err == nil {
		return newConn(p, pc), nil
	}
	if ctx.Err() == nil && wait.Err() != nil {
		p.failed.Add(1)
		return nil, p.exhausted()
	}
	if ctx.Err() == nil && strings.Contains(err.Error(), "closed pool") {
		return nil, errClosed
	}
	return nil, classify(ctx, err)
}

// A patience is a context with a time limit whose timer is only made when
// somebody waits. The pool asks for Done once before it looks for a connection
// that lies idle, and again where there is none: a timer for each statement
// would wake a thread each time, a tenth of what a small statement costs.
type patience struct {
	context.Context // the caller's
	limit           time.Duration

	mu     sync.Mutex
	asked  int             // how often for Done; guarded by mu, like all below
	timed  context.Context // nil: there is no timer yet
	cancel context.CancelFunc
}

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.asked == 1 {
		return p.Context.Done()
	}
	if p.timed == nil {
		p.timed, p.cancel = context.WithTimeout(p.Context, p.limit)
	}
	return p.timed.Done()
}

// Err implements context.Context.
func (p *patience) Err() error { return p.current().Err() }

// Deadline implements context.Context.
func (p *patience) Deadline() (time.Time, bool) { return p.current().Deadline() }

// current is the context that counts: the timed one, once there is one.
func (p *patience) current() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timed != nil {
		return p.timed
	}
	return p.Context
}

// end frees the timer, if there is one.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		p.cancel()
	}
}

// exhausted says why there was no connection in time.
func (p *pool) exhausted() error {
	s := p.Stat()
	if s.AcquiredConns() < s.MaxConns() {
		return dataknobs.Errorf(dataknobs.Unavailable, "the server at %s gave no connection within %v", hostsOf(&p.Config().ConnConfig.Config), p.acquire).
			WithHint("is it a PostgreSQL server, and does a firewall let it answer? pool.acquire_timeout is how long to wait")
	}
	text := fmt.Sprintf("all %d connections of the pool were in use for %v", s.MaxConns(), p.acquire)
	if open := p.scans.open(nil); open != "" {
		text += "; " + open
	}
	err := dataknobs.Errorf(dataknobs.Unavailable, "%s", text)
	return err.WithHint("finish or leave loops over queries sooner, or raise pool.max")
}

// stats implements dataknobs.Pooler.
func (p *pool) stats() dataknobs.PoolStats {
	s := p.Stat()
	return dataknobs.PoolStats{
		Max: int(s.MaxConns()), Open: int(s.TotalConns()), Idle: int(s.IdleConns()), InUse: int(s.AcquiredConns()),
		Opened: s.NewConnsCount(), Closed: s.NewConnsCount() - int64(s.TotalConns()), Acquired: s.AcquireCount(),
		Waits: s.EmptyAcquireCount(), WaitTime: s.EmptyAcquireWaitTime(), Failed: p.failed.Load(),
	}
}

// scans are the scans under way, which hold a connection each.
type scans struct {
	mu  sync.Mutex
	all map[*openScan]struct{} // guarded by mu
}

// An openScan is one scan under way.
type openScan struct {
	store any // the Driver
	since time.Time
}

func (s *scans) begin(store any) *openScan {
	o := &openScan{store, time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*openScan]struct{}{}
	}
	s.all[o] = struct{}{}
	return o
}

func (s *scans) end(o *openScan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, o)
}

// of returns how many scans of a store (nil: of any) are open, and for how
// long the oldest has been.
func (s *scans) of(store any) (n int, oldest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := range s.all {
		if store == nil || o.store == store {
			n++
			oldest = max(oldest, time.Since(o.since))
		}
	}
	return n, oldest
}

// open says what is open, for an error; "" if nothing is.
func (s *scans) open(store any) string {
	n, oldest := s.of(store)
	age := oldest.Round(time.Millisecond)
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 query is being ranged over, for %v", age)
	}
	return fmt.Sprintf("%d queries are being ranged over, the oldest for %v", n, age)
}

// A canceller asks the server to give up the statement of a context that is
// done, so that the connection can be used again.
type canceller struct {
	pg   *pgconn.PgConn
	done chan struct{}
}

// grace is how long the server may take to heed a request to cancel, after
// which the connection is given up.
const grace = 500 * time.Millisecond

// HandleCancel implements ctxwatch.Handler.
func (c *canceller) HandleCancel(context.Context) {
	c.done = make(chan struct{})
	deadline := time.Now().Add(grace)
	_ = c.pg.Conn().SetDeadline(deadline) // fails on a closed one only
	go func() {                           //nolint:gosec // the request's context is over: that is why
		defer close(c.done)
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		_ = c.pg.CancelRequest(ctx) // if it fails the deadline helps
	}()
}

// HandleUnwatchAfterCancel implements ctxwatch.Handler.
func (c *canceller) HandleUnwatchAfterCancel() {
	<-c.done
	_ = c.pg.Conn().SetDeadline(time.Time{}) // fails on a closed one only
	c.pg.CustomData()[cancelled] = true
}

// cancelled marks a connection that may still be hit by a late request to cancel.
const cancelled = "dataknobs.cancelled"

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")

// settle makes sure that no late request to cancel hits the next statement. It
// reports whether the connection is good.
func settle(pg *pgconn.PgConn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for range 3 {
		err := pg.Ping(ctx)
		if err == nil {
			delete(pg.CustomData(), cancelled)
			return true
		}
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != queryCanceled {
			return false
		}
	}
	return false
}
