package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/all"
)

// A job is what a worker process is told to do, as JSON in workerEnv.
type job struct {
	Store   string
	Round   int
	Seed    uint64
	Writers int
	Readers int
	For     time.Duration // how long; 0: until it is killed
	Atomic  bool          // the store takes atomic batches
	Pause   time.Duration // between the operations of one writer, at most
}

const workerEnv = "DATAKNOBS_TORTURE"

// counters and claims are few, so that writers meet.
const counters, claims = 4, 400

// A worker runs one job. Every line that it writes is an [event].
type worker struct {
	job
	db  *dataknobs.DB
	out io.Writer
	mu  sync.Mutex // guards out
}

// work runs a job to its end, or until the process is killed.
func work(ctx context.Context, j job, out io.Writer) error {
	if j.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, j.For)
		defer cancel()
	}
	w := &worker{job: j, out: out}
	if err := w.open(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	for i := range j.Writers {
		all.Go(func() { w.write(ctx, i) })
	}
	for i := range j.Readers {
		all.Go(func() { w.read(ctx, i) })
	}
	all.Wait()
	return w.db.Close()
}

// open opens the store, again and again while its server is away.
func (w *worker) open(ctx context.Context) error {
	for {
		var err error
		if w.db, err = dataknobs.Open(ctx, w.Store, nil); err == nil {
			return nil
		}
		if code := dataknobs.CodeOf(err); code != dataknobs.Unavailable || ctx.Err() != nil {
			return err
		}
		wait(ctx, 20*time.Millisecond)
	}
}

func (w *worker) say(e event) {
	line := e.String() + "\n"
	w.mu.Lock()
	defer w.mu.Unlock()
	io.WriteString(w.out, line) //nolint:errcheck // the parent is gone, and this process with it
}

// A writer is one goroutine's state.
type writer struct {
	*worker
	ctx     context.Context
	name    string
	random  *rand.Rand
	seq     int64
	acked   int64          // the register's last acknowledged value; 0: none
	unknown map[int64]bool // values whose put may have happened, or may happen yet
	alive   []string       // records of its own that are surely there
}

func (w *worker) write(ctx context.Context, i int) {
	g := &writer{worker: w, ctx: ctx, name: fmt.Sprintf("r%dw%d", w.Round, i),
		random: rand.New(rand.NewPCG(w.Seed, uint64(i))), unknown: map[int64]bool{}}
	steps := []func(){g.put, g.put, g.create, g.count, g.claim, g.remove, g.check, g.search}
	if w.Atomic {
		steps = append(steps, g.batch)
	}
	for ctx.Err() == nil {
		g.seq++
		steps[g.random.IntN(len(steps))]()
		if w.Pause > 0 {
			wait(ctx, time.Duration(g.random.Int64N(int64(w.Pause))))
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// record makes a record whose parts belong together: sum says whether they do.
func (g *writer) record(id string, n int64, owner string) *dataknobs.Record {
	return newRecord(id, n, owner, 1+g.random.IntN(12))
}

func newRecord(id string, n int64, owner string, size int) *dataknobs.Record {
	pad := strings.Repeat(fmt.Sprintf("%s/%d ", owner, n), size)
	return dataknobs.NewRecord(id, dataknobs.F("n", n), dataknobs.F("owner", owner), dataknobs.F("pad", pad), dataknobs.F("sum", sum(id, n, owner, pad)))
}

func sum(id string, n int64, owner, pad string) int64 {
	return int64(crc32.ChecksumIEEE(fmt.Appendf(nil, "%s|%d|%s|%s", id, n, owner, pad)))
}

// whole reports whether a record is as some writer wrote it.
func whole(r *dataknobs.Record) bool {
	f := r.Fields
	owner, pad, n, s := f.Value("owner"), f.Value("pad"), f.Value("n"), f.Value("sum")
	if owner.Kind() != dataknobs.KindString || pad.Kind() != dataknobs.KindString || n.Kind() != dataknobs.KindInt || s.Kind() != dataknobs.KindInt {
		return false
	}
	return s.Int() == sum(r.ID, n.Int(), owner.Str(), pad.Str())
}

// outcome sorts the answer to a write: known to have happened, known not to
// have, or neither.
func outcome(err error) kind {
	var e *dataknobs.Error
	switch {
	case err == nil:
		return done
	case errors.Is(err, dataknobs.ErrUnknownOutcome) || !errors.As(err, &e):
		return unclear
	case e.Code == dataknobs.Conflict || e.Code == dataknobs.AlreadyExists || e.Code == dataknobs.NotFound:
		return refused
	case e.Code == dataknobs.PermissionDenied || e.Code == dataknobs.InvalidArgument:
		return rejected
	}
	return unclear
}

// do announces a write, runs it, and says what became of it.
func (g *writer) do(what, id string, n int64, write func() (dataknobs.Result, error)) (kind, dataknobs.Result) {
	g.say(event{kind: begun, writer: g.name, op: what, id: id, n: n})
	res, err := write()
	k := outcome(err)
	e := event{kind: k, writer: g.name, op: what, id: id, n: n}
	if err != nil {
		e.text = err.Error()
	}
	g.say(e)
	return k, res
}

func (g *writer) saw(r *dataknobs.Record) {
	if !whole(r) {
		g.say(event{kind: broken, writer: g.name, id: r.ID, text: "half a record: " + string(r.Fields.AppendJSON(nil))})
		return
	}
	if r.Revision != "" {
		g.say(event{kind: seen, writer: g.name, id: r.ID, n: r.Get("sum").Int(), text: r.Revision})
	}
}

// put writes the register of this writer.
func (g *writer) put() {
	id, n := "register-"+g.name, g.seq
	rec := g.record(id, n, g.name)
	k, res := g.do("put", id, n, func() (dataknobs.Result, error) { return g.db.Put(g.ctx, rec) })
	switch k {
	case done:
		g.acked = n
		if res.Revision != "" {
			rec.Revision = res.Revision
			g.saw(rec)
		}
	case refused:
		g.say(event{kind: broken, writer: g.name, id: id, text: "an unconditional put was refused"})
	case unclear:
		g.unknown[n] = true
	}
}

// fits reports whether the register may hold n now.
func (g *writer) fits(n int64) bool { return n == g.acked || g.unknown[n] }

// check reads the register: never older than what was acknowledged.
func (g *writer) check() {
	r, err := g.db.Get(g.ctx, "register-"+g.name)
	switch {
	case dataknobs.CodeOf(err) == dataknobs.NotFound:
		if g.acked > 0 {
			g.say(event{kind: broken, writer: g.name, id: "register-" + g.name, text: fmt.Sprintf("not found, though %d was acknowledged", g.acked)})
		}
	case err != nil:
		g.trouble(err)
	default:
		g.saw(r)
		if n := r.Get("n").Int(); !g.fits(n) {
			g.say(event{kind: broken, writer: g.name, id: r.ID, text: fmt.Sprintf("a read gave %d after %d was acknowledged", n, g.acked)})
		}
	}
}

// search finds the register by a condition, which must see it as well.
func (g *writer) search() {
	if g.random.IntN(4) > 0 { // dearer than the others
		g.check()
		return
	}
	rs, err := g.db.All(g.ctx, dataknobs.Where(dataknobs.P("owner").Eq(g.name), dataknobs.P("_id").Eq("register-"+g.name)).Query())
	if err != nil {
		g.trouble(err)
		return
	}
	switch {
	case len(rs) > 1:
		g.say(event{kind: broken, writer: g.name, id: rs[0].ID, text: "a search found it twice"})
	case len(rs) == 0 && g.acked > 0 || len(rs) == 1 && !g.fits(rs[0].Get("n").Int()):
		g.say(event{kind: broken, writer: g.name, id: "register-" + g.name, text: fmt.Sprintf("a search gave %v after %d was acknowledged", rs, g.acked)})
	}
}

// trouble reports an error of a read, whose code must be one that a fault has.
func (g *writer) trouble(err error) {
	if g.ctx.Err() != nil {
		return
	}
	g.say(event{kind: failed, writer: g.name, text: err.Error(), op: fmt.Sprint(dataknobs.CodeOf(err))})
}

func (g *writer) create() {
	id := fmt.Sprintf("new-%s-%d", g.name, g.seq)
	if k, _ := g.do("create", id, g.seq, func() (dataknobs.Result, error) { return g.db.Create(g.ctx, g.record(id, g.seq, g.name)) }); k == done {
		g.alive = append(g.alive, id)
	}
}

func (g *writer) remove() {
	if len(g.alive) == 0 {
		return
	}
	i := g.random.IntN(len(g.alive))
	id := g.alive[i]
	g.alive[i] = g.alive[len(g.alive)-1]
	g.alive = g.alive[:len(g.alive)-1]
	g.do("delete", id, 0, func() (dataknobs.Result, error) { return dataknobs.Result{}, g.db.Delete(g.ctx, id) })
}

// count adds one to a counter that all share, by compare and swap.
func (g *writer) count() {
	id := fmt.Sprintf("counter-%d", g.random.IntN(counters))
	old, err := g.db.Get(g.ctx, id)
	switch {
	case dataknobs.CodeOf(err) == dataknobs.NotFound:
		g.do("count", id, 1, func() (dataknobs.Result, error) { return g.db.Create(g.ctx, g.record(id, 1, g.name)) })
	case err != nil:
		g.trouble(err)
	default:
		g.saw(old)
		n := old.Get("n").Int() + 1
		g.do("count", id, n, func() (dataknobs.Result, error) {
			return g.db.Update(g.ctx, g.record(id, n, g.name), dataknobs.IfRevision(old.Revision))
		})
	}
}

// claim tries to be the first to create a record that others want too.
func (g *writer) claim() {
	id := fmt.Sprintf("claim-%d-%d", g.Round, g.random.IntN(claims))
	g.do("claim", id, 0, func() (dataknobs.Result, error) { return g.db.Create(g.ctx, g.record(id, 0, g.name)) })
}

// batch creates three records, all or none.
func (g *writer) batch() {
	id := fmt.Sprintf("batch-%s-%d", g.name, g.seq)
	var recs []*dataknobs.Record
	for i := range 3 {
		recs = append(recs, g.record(fmt.Sprintf("%s-%d", id, i), g.seq, g.name))
	}
	g.do("batch", id, g.seq, func() (dataknobs.Result, error) {
		_, err := g.db.CreateMany(g.ctx, recs, dataknobs.Atomic())
		return dataknobs.Result{}, err
	})
}

// read looks at what others write.
func (w *worker) read(ctx context.Context, i int) {
	g := &writer{worker: w, ctx: ctx, name: fmt.Sprintf("r%dr%d", w.Round, i), random: rand.New(rand.NewPCG(w.Seed, uint64(1000+i)))}
	for ctx.Err() == nil {
		var err error
		if g.random.IntN(20) == 0 {
			err = g.scan()
		} else {
			err = g.look()
		}
		if err != nil {
			g.trouble(err)
		}
		wait(ctx, w.Pause)
	}
}

func (g *writer) look() error {
	id := fmt.Sprintf("counter-%d", g.random.IntN(counters))
	if g.random.IntN(2) == 0 {
		id = fmt.Sprintf("register-r%dw%d", g.Round, g.random.IntN(g.Writers))
	}
	r, err := g.db.Get(g.ctx, id)
	if dataknobs.CodeOf(err) == dataknobs.NotFound {
		return nil
	}
	if err == nil {
		g.saw(r)
	}
	return err
}

func (g *writer) scan() error {
	ids := map[string]bool{}
	for r, err := range g.db.Query(g.ctx, "owner like ?", fmt.Sprintf("r%d%%", g.Round)) {
		if err != nil {
			return err
		}
		if ids[r.ID] {
			g.say(event{kind: broken, writer: g.name, id: r.ID, text: "a scan gave it twice"})
		}
		ids[r.ID] = true
		g.saw(r)
	}
	return nil
}

// workHere runs the job that this process was started for, if it was.
func workHere() bool {
	text := os.Getenv(workerEnv)
	if text == "" {
		return false
	}
	log.SetOutput(io.Discard) // net/http tells of every broken answer
	j, err := parseJob(text)
	if err == nil {
		err = work(context.Background(), j, os.Stdout)
	}
	if err != nil {
		fmt.Println(event{kind: failed, op: fmt.Sprint(dataknobs.CodeOf(err)), text: "the worker: " + err.Error()})
	}
	return true
}
