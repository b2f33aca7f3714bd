package file

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// stdin and stdout are what "-" means.
var (
	stdin  io.Reader = os.Stdin
	stdout io.Writer = os.Stdout
)

// Load implements dataknobs.Loader for a store that has no records yet: the
// file is written once, under a temporary name, and takes its place when it is
// complete. With a schema as a hint that is one pass; without, or where the
// records do not keep to it, they are first put down in a temporary file, to
// find out the columns. Records without IDs, if none has one, become plain rows.
func (d *Driver) Load(ctx context.Context, req *dataknobs.LoadRequest) (handled bool, err error) {
	if d.t.std {
		return true, d.loadStdout(ctx, req)
	}
	w := &d.w
	if err := w.begin(ctx); err != nil {
		return false, err
	}
	if err := w.lead.lock(ctx); err != nil {
		return false, err
	}
	late, handled, err := w.load(ctx, req)
	w.lead.unlock()
	if err == nil && len(late) > 0 {
		err = d.putLate(ctx, late)
	}
	return handled, err
}

// load does the work of Load. late are records that replace loaded ones. The
// caller leads.
func (w *writer) load(ctx context.Context, req *dataknobs.LoadRequest) (late []*dataknobs.Record, handled bool, err error) {
	d := w.d
	if err := w.usable(); err != nil {
		return nil, false, err
	}
	st := d.st
	switch {
	case d.closing.Load() || !w.holding.Load():
		return nil, false, errClosed
	case !st.ov.empty() || st.base != nil && st.base.ids().from != byFree:
		return nil, false, nil
	}
	if st.jrnl != nil { // of changes that left nothing
		if err := w.dropJournal(ctx); err != nil {
			return nil, false, err
		}
	}
	l := newLoading(d, req)
	defer l.free()
	if err := l.take(ctx); err != nil {
		return nil, true, err
	}
	t, m, layout, err := l.finish(ctx)
	if err != nil {
		return nil, true, err
	}
	if err := d.unchanged(); err != nil {
		t.discard()
		return nil, true, err
	}
	ctx = context.WithoutCancel(ctx) // the rest is short, and must not stop half-way
	if err := w.replace(ctx, t, m, layout); err != nil {
		return nil, true, err
	}
	return l.late, true, w.takeUp(ctx)
}

// putLate replaces records that came again under LoadPut.
func (d *Driver) putLate(ctx context.Context, recs []*dataknobs.Record) error {
	b := &dataknobs.Batch{Atomic: true}
	for _, r := range recs {
		b.Writes = append(b.Writes, dataknobs.Write{Op: dataknobs.WritePut, ID: r.ID, Record: r})
	}
	results, err := d.Apply(ctx, b)
	for _, r := range results {
		if err == nil && r.Err != nil && !errors.Is(r.Err, dataknobs.ErrNotApplied) {
			err = r.Err
		}
	}
	return err
}

// A loading is one Load on its way.
type loading struct {
	d     *Driver
	req   *dataknobs.LoadRequest
	plan  *planner // of the columns that the records need
	rule  *ids
	ids   idSet
	late  []*dataknobs.Record
	rows  bool // no record has an ID
	plain bool // every ID is the text of the field id, so that it needs no column
	n     int64

	direct *direct // what is written at once; nil without a hint
	head   *direct // what was written before the hint proved wrong
	spool  *spooled
}

func newLoading(d *Driver, req *dataknobs.LoadRequest) *loading {
	return &loading{d: d, req: req, plan: d.newPlanner(), rule: d.rule(), plain: true}
}

func (l *loading) free() {
	for _, x := range []*direct{l.direct, l.head} {
		if x != nil {
			x.t.discard()
		}
	}
	if l.spool != nil {
		l.spool.f.Close()
	}
}

// take reads the whole stream.
func (l *loading) take(ctx context.Context) error {
	t := ticker{ctx: ctx}
	for rec, err := range l.req.Records {
		if err == nil {
			err = t.err()
		}
		if err == nil {
			err = l.record(rec)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l *loading) record(rec *dataknobs.Record) error {
	first := l.n == 0
	if first {
		l.rows = rec.ID == "" && l.rule.from == byFree
	}
	if !l.rows {
		var taken bool
		var err error
		if rec, taken, err = l.identify(rec); err != nil || taken {
			return err
		}
	} else if rec.ID != "" {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "some of the records have IDs and some have none")
	}
	if first {
		if err := l.begin(); err != nil {
			return err
		}
	}
	if err := l.write(rec); err != nil {
		return err
	}
	l.n++
	l.req.Written.Add(1)
	return nil
}

// identify completes the record's ID and checks that it is new.
func (l *loading) identify(rec *dataknobs.Record) (_ *dataknobs.Record, taken bool, err error) {
	if rec.ID == "" && l.rule.from == byFree {
		u, err := uuid.NewV7()
		if err != nil {
			return nil, false, err
		}
		c := *rec
		c.ID = u.String()
		rec = &c
	}
	if l.rule.from == byKey {
		id, err := l.rule.ofRecord(rec)
		if err != nil || rec.ID != "" && id != rec.ID {
			return nil, false, dataknobs.Errorf(dataknobs.InvalidArgument, "the fields %s of the record %q do not make its ID", strings.Join(l.rule.key, ","), rec.ID)
		}
		if rec.ID == "" {
			c := *rec
			c.ID = id
			rec = &c
		}
	}
	if l.ids.add(xxh3.HashString128(rec.ID)) {
		return rec, false, nil
	}
	switch l.req.Mode {
	case dataknobs.LoadSkip:
		l.req.Skipped.Add(1)
		return nil, true, nil
	case dataknobs.LoadPut:
		l.late = append(l.late, rec.Clone())
		l.req.Written.Add(1)
		return nil, true, nil
	}
	return nil, false, &dataknobs.Error{Code: dataknobs.AlreadyExists, ID: rec.ID, Message: "the ID is there twice among the records"}
}

// begin decides, at the first record, how to go about it.
func (l *loading) begin() error {
	if l.req.Schema == nil || l.d.t.std {
		var err error
		l.spool, err = newSpooled()
		return err
	}
	for _, f := range l.req.Schema.Fields {
		if len(f.Path) == 1 && f.Path[0].Name != "" && !f.Path.IsSystem() {
			i, ok := l.plan.at[f.Path[0].Name]
			if !ok {
				i = l.plan.column(f.Path[0].Name)
			}
			l.plan.kinds[i] |= f.Kinds
		}
	}
	var err error
	l.direct, err = l.d.startDirect(nil)
	return err
}

// write puts a record where the records go now.
func (l *loading) write(rec *dataknobs.Record) error {
	l.plain = l.plain && l.idIsField(rec)
	if x := l.direct; x != nil {
		if x.out == nil {
			layout := l.layout(*l.plan)
			if len(rec.Metadata) > 0 {
				layout.Meta = metaColumn
			}
			if err := x.begin(l.d, layout); err != nil {
				return err
			}
		}
		if l.fits(rec, x.layout) {
			err := x.out.Write(rec)
			if err == nil || dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
				return err
			}
		}
		// The hint was wrong. What is in the file stays good, for reading it again.
		if _, err := x.end(l.d); err != nil {
			return err
		}
		l.head, l.direct = x, nil
		var err error
		if l.spool, err = newSpooled(); err != nil {
			return err
		}
	}
	l.plan.look(rec)
	return l.spool.add(rec)
}

// fits reports whether the layout has room for what of the record stands in no
// column of its own.
func (l *loading) fits(rec *dataknobs.Record, layout *codec.Layout) bool {
	if len(rec.Metadata) > 0 && layout.Meta == "" {
		return false
	}
	if !l.rows && layout.ID == "" && l.rule.from == byFree && !l.plain {
		return false
	}
	if !l.d.t.format.json || layout.Tagged {
		return true
	}
	for _, f := range rec.Fields {
		if needsTag(f.Value) && !notedAs(layout, f) {
			return false
		}
	}
	return !needsTag(dataknobs.AdoptObject(slices.Clone(rec.Metadata)))
}

func notedAs(l *codec.Layout, f dataknobs.Field) bool {
	return slices.ContainsFunc(l.Columns, func(c codec.Column) bool { return c.Name == f.Name && c.Kind == f.Value.Kind().String() })
}

// idIsField reports whether the record's ID is just the text of its field id.
func (l *loading) idIsField(rec *dataknobs.Record) bool {
	v, ok := rec.Fields.Get("id")
	if !ok || l.rule.from != byFree || l.rows {
		return false
	}
	text, err := dataknobs.KeyText([]dataknobs.Value{v})
	return err == nil && text == rec.ID
}

// layout is the layout for what is known of the records.
func (l *loading) layout(p planner) *codec.Layout {
	p.l.Columns = slices.Clone(p.l.Columns)
	if !l.rows && l.rule.from == byFree && !l.plain {
		p.l.ID = idColumn
	}
	return p.finish()
}

// finish completes the file.
func (l *loading) finish(ctx context.Context) (*temp, mark, *codec.Layout, error) {
	if x := l.direct; x != nil {
		if x.out == nil {
			if err := x.begin(l.d, l.layout(*l.plan)); err != nil {
				return nil, mark{}, nil, err
			}
		}
		m, err := x.end(l.d)
		if err != nil {
			return nil, mark{}, nil, err
		}
		l.direct = nil
		return x.t, m, x.layout, nil
	}
	if l.head != nil {
		for i := range l.head.layout.Columns { // what is there already must fit, too
			c := &l.head.layout.Columns[i]
			if k, ok := dataknobs.ParseKind(c.Kind); ok {
				if at, ok := l.plan.at[c.Name]; ok {
					l.plan.kinds[at] |= 1 << k
				}
			}
		}
		l.plan.l.Tagged = l.plan.l.Tagged || l.head.layout.Tagged
		if l.head.layout.Meta != "" {
			l.plan.l.Meta = metaColumn
		}
	}
	layout := l.layout(*l.plan)
	mode, err := l.d.modeOf()
	if err != nil {
		return nil, mark{}, nil, err
	}
	t, m, err := l.d.writeFile(ctx, layout, mode, func(out codec.Writer) error { return l.rewrite(ctx, out) })
	return t, m, layout, err
}

// rewrite writes everything that was put down.
func (l *loading) rewrite(ctx context.Context, out codec.Writer) error {
	if l.head != nil {
		if err := l.rewriteHead(ctx, out); err != nil {
			return err
		}
	}
	if l.spool == nil {
		return nil
	}
	return l.spool.each(ctx, out.Write)
}

// rewriteHead reads what was written before the hint proved wrong.
func (l *loading) rewriteHead(ctx context.Context, out codec.Writer) error {
	f, err := openFile(l.head.t.name, os.O_RDONLY, 0)
	if err != nil {
		return ioError(l.head.t.name, err)
	}
	p := &part{name: l.d.t.name, f: f, comp: l.d.t.comp}
	b := &base{o: &Options{Key: l.rule.key}, t: l.d.t, parts: []*part{p}, rows: -1, work: newWorkLock()}
	b.acquire()
	defer b.release()
	if p.info, err = f.Stat(); err != nil {
		return ioError(l.head.t.name, err)
	}
	s := &side{Version: 1, Files: []sideEntry{{Layout: l.head.layout}}}
	if err := b.open(ctx, s); err != nil {
		return err
	}
	snap := &snapshot{d: l.d, base: b, ov: newOverlay().freeze()}
	all, _ := dataknobs.Compile(nil)
	var failed error
	err = snap.scanNatural(ctx, &dataknobs.Scan{NoRevision: true, NoID: l.rows}, all, func(r *dataknobs.Record) bool {
		failed = out.Write(r)
		return failed == nil
	})
	return errors.Join(err, failed)
}

// loadStdout writes the stream to standard output.
func (d *Driver) loadStdout(ctx context.Context, req *dataknobs.LoadRequest) error {
	l := newLoading(d, req)
	defer l.free()
	if err := l.take(ctx); err != nil {
		return err
	}
	return d.encodeTo(stdout, l.layout(*l.plan), func(out codec.Writer) error { return l.rewrite(ctx, out) })
}
