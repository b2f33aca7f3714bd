package csv

import (
	"bytes"
	"context"
	"math"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

// Scan visits every row. Where a needed column's kind is not known yet, it is
// assumed from the sample and every cell is checked as the scan goes; s.Speculate
// allows that, otherwise the kinds are settled by a pass of their own first.
func (f *file) Scan(ctx context.Context, s *codec.Scan) error {
	p := f.plan(s)
	if len(p.checks) > 0 && !s.Speculate {
		var cols []int
		for _, c := range p.checks {
			cols = append(cols, c.col)
		}
		if err := f.settle(ctx, cols); err != nil {
			return err
		}
		p = f.plan(s)
	}
	x := &scan{f: f, p: p, Scan: s}
	x.columns = x.byColumns()
	x.quietFrom.Store(math.MaxInt64)
	return x.run(ctx)
}

// scan is one pass over the file.
type scan struct {
	f *file
	p *plan
	*codec.Scan
	workers []*worker
	columns bool // rows can be given as whole columns
	// quietFrom is the first block whose rows are not visited, or no longer: only
	// the kinds are still looked for.
	quietFrom atomic.Int64

	mu    sync.Mutex
	found []marks // guarded by mu; by index of p.checks
}

// blockState is what a scan keeps with a block.
type blockState struct {
	quotes  bool
	visitor codec.Visitor // nil: not visited
}

func (s *scan) run(ctx context.Context) error {
	if len(s.f.cols) == 0 {
		return nil
	}
	job, err := s.f.job()
	if err != nil {
		return err
	}
	s.found = make([]marks, len(s.p.checks))
	for i, c := range s.p.checks {
		s.found[i] = c.marks
	}
	s.workers = make([]*worker, blocks.NumWorkers(s.Workers))
	job.Workers, job.Stats = s.Workers, s.Stats
	job.Cut, job.Begin, job.Work, job.End = s.cut, s.begin, s.work, s.end
	if err := job.Run(ctx); err != nil {
		return err
	}
	return s.conclude()
}

// job returns the pass over the file's data rows.
func (f *file) job() (*blocks.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := &blocks.Job{Source: &f.src, Start: f.start}
	if !f.src.Once {
		return j, nil
	}
	if f.used {
		return nil, dataknobs.Errorf(dataknobs.Unsupported, "%s: can be read only once", f.src.Name).
			WithHint("save it to a file first")
	}
	j.Stream, j.Head = f.stream, f.head[f.start.Offset:]
	f.used, f.stream, f.head = true, nil, nil
	return j, nil
}

// conclude remembers the kinds that the pass has found.
func (s *scan) conclude() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	wrong := false
	for i, c := range s.p.checks {
		s.f.known[c.col] = s.found[i] | markDone
		wrong = wrong || s.found[i].reading() != c.as
	}
	if wrong && s.Begin != nil {
		return codec.ErrUnsettled
	}
	return nil
}

// quiet stops visiting rows from block i on.
func (s *scan) quiet(i int) {
	for {
		old := s.quietFrom.Load()
		if old <= int64(i) || s.quietFrom.CompareAndSwap(old, int64(i)) {
			return
		}
	}
}

func (s *scan) isQuiet(i int) bool { return s.quietFrom.Load() <= int64(i) }

func (s *scan) begin(b *blocks.Block) error {
	st := b.User.(*blockState)
	if s.isQuiet(b.Index) {
		return nil
	}
	v, err := s.Begin(b.Index)
	if err == codec.ErrStop {
		s.quiet(b.Index)
		return nil
	}
	st.visitor = v
	return err
}

func (s *scan) end(b *blocks.Block) error {
	st := b.User.(*blockState)
	if st.visitor == nil || s.isQuiet(b.Index) {
		return nil
	}
	err := st.visitor.End()
	if err == codec.ErrStop {
		s.quiet(b.Index + 1)
		return nil
	}
	return err
}

// work visits the rows of a block.
func (s *scan) work(w int, b *blocks.Block) error {
	if s.workers[w] == nil {
		s.workers[w] = &worker{s: s, reader: reader{f: s.f, split: s.f.splitter()}}
	}
	x := s.workers[w]
	if !x.takeChecks() && s.isQuiet(b.Index) {
		return codec.ErrStop // nobody wants anything
	}
	err := x.block(b)
	x.giveChecks()
	if s.Stats != nil {
		s.Stats.Records.Add(b.Rows)
	}
	return err
}

// A worker visits the rows of one block after another. It is the row.
type worker struct {
	reader
	s      *scan
	checks []check // a copy of the plan's
	number int64
	dense  int
	fields []dataknobs.Field // room for the next records
	batch
}

// takeChecks takes over what all workers have found; it reports whether there is anything left to
// look for.
func (w *worker) takeChecks() bool {
	if w.checks == nil {
		w.checks = append([]check(nil), w.s.p.checks...)
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	left := false
	for i := range w.checks {
		w.checks[i].marks |= w.s.found[i]
		left = left || !w.checks[i].marks.settled()
	}
	return left
}

func (w *worker) giveChecks() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for i, c := range w.checks {
		w.s.found[i] |= c.marks
	}
}

// stopRows is how many rows are visited between two looks at whether to stop.
const stopRows = 64

func (w *worker) block(b *blocks.Block) error {
	st := b.User.(*blockState)
	data := b.Data
	if data[len(data)-1] != '\n' {
		data = append(data, '\n') // within its slack
	}
	w.reset(data, b.Offset, b.Line)
	w.number = b.Row
	visitor := st.visitor
	p := 0
	if v, ok := visitor.(codec.VectorVisitor); ok && w.s.columns {
		var err error
		if p, err = w.vectors(b, v, st.quotes); err != nil {
			return err
		}
		visitor = nil
	}
	for n := 0; p < len(data); n++ {
		if n%stopRows == 0 {
			if b.Stopped() {
				return nil
			}
			if visitor != nil && w.s.isQuiet(b.Index) {
				visitor = nil
			}
			if visitor == nil && len(w.checks) == 0 {
				return nil
			}
		}
		next, row, err := w.next(p, st.quotes)
		if err != nil {
			return err
		}
		if row {
			if visitor, err = w.row(b, visitor); err != nil {
				return err
			}
			w.number++
		}
		if st.quotes {
			w.line += int64(bytes.Count(data[p:next], []byte{'\n'}))
		} else {
			w.line++
		}
		p = next
	}
	return nil
}

// row checks the row and visits it; it returns the visitor for the next.
func (w *worker) row(b *blocks.Block, v codec.Visitor) (codec.Visitor, error) {
	if len(w.checks) > 0 {
		w.check()
	}
	if v == nil || w.s.quietFrom.Load() < 0 {
		return nil, nil
	}
	err := v.Row(w)
	switch {
	case w.err != nil:
		return nil, w.err
	case err == codec.ErrStop:
		w.s.quiet(b.Index)
		return nil, nil
	}
	return v, err
}

// check looks at the cells of the columns whose kinds are assumed.
func (w *worker) check() {
	numbers := !w.f.nulls.number
	for i := range w.checks {
		c := &w.checks[i]
		if c.col < w.cells {
			start, end := int(w.split.pos[c.col]+1), int(w.split.pos[c.col+1])
			if start == end {
				c.marks |= markNull
				c.value = dataknobs.Value{}
				continue
			}
			if c.as == asNumber && numbers {
				if v, ok := lex.Small(w.wide, start, end); ok {
					c.marks |= markInt
					c.value = dataknobs.Int(v)
					continue
				}
			}
		}
		w.look(c)
	}
}

// look is check for one column, in full.
func (w *worker) look(c *check) {
	if c.marks&markString != 0 {
		return
	}
	b, null := w.text(c.col)
	c.value = dataknobs.Value{}
	if null {
		c.marks |= markNull
		return
	}
	switch c.as {
	case asNumber:
		if v, ok := parseNumber(b); ok {
			c.value = v
			c.marks |= numberMark(v)
			return
		}
	case asTime:
		if v, ok := lex.ParseTime(b); ok {
			c.value = v
			return // the mark is there already
		}
	}
	c.marks |= classify(b)
	if c.as == asBool {
		v, _ := parseBool(b)
		c.value = dataknobs.Bool(v)
	}
	if c.marks.reading() != c.as {
		w.s.quiet(-1)
	}
}

func numberMark(v dataknobs.Value) marks {
	if v.Kind() == dataknobs.KindInt {
		return markInt
	}
	return markFloat
}
