package file

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// Get implements dataknobs.Driver.
func (d *Driver) Get(ctx context.Context, ids []string) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for from := 0; from < len(ids); from += aheadSize {
			recs, err := d.getSome(ctx, ids[from:min(from+aheadSize, len(ids))])
			for _, rec := range recs {
				if !yield(rec, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// GetOne implements dataknobs.Getter.
func (d *Driver) GetOne(ctx context.Context, id string) (*dataknobs.Record, error) {
	recs, err := d.getSome(ctx, []string{id})
	if err != nil || len(recs) == 0 {
		return nil, err
	}
	return recs[0], nil
}

func (d *Driver) getSome(ctx context.Context, ids []string) ([]*dataknobs.Record, error) {
	s, err := d.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release()
	recs, rest, err := d.fromOverlay(s, ids)
	if err != nil || len(rest) == 0 || s.base == nil {
		return recs, err
	}
	if err := d.verifyIDs(ctx, s.base); err != nil {
		return nil, err
	}
	if s.base.ids().from == byRow {
		return s.base.getRows(ctx, rest, recs)
	}
	found, err := d.locateMany(ctx, s.base, rest)
	if err != nil {
		return nil, err
	}
	for _, id := range rest {
		if l := found[id]; l.rec != nil {
			recs = append(recs, l.rec)
		}
	}
	return recs, nil
}

// fromOverlay returns what was written of the IDs, and those of which nothing
// is known there. The snapshot's base may have been folded meanwhile; then the
// records are in the newer base, of which the overlay is, so that it is looked
// into again.
func (d *Driver) fromOverlay(s *snapshot, ids []string) (recs []*dataknobs.Record, rest []string, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return nil, nil, errClosed
	}
	if d.st.base != s.base {
		s.release()
		if s.base = d.st.base; s.base != nil {
			s.base.acquire()
		}
	}
	for _, id := range ids {
		switch e := d.st.ov.byID[id]; {
		case e == nil:
			rest = append(rest, id)
		case e.rec != nil:
			recs = append(recs, e.rec.Clone())
		}
	}
	return recs, rest, nil
}

// getRows adds the rows of those numbers to recs, by reading up to the last.
func (b *base) getRows(ctx context.Context, ids []string, recs []*dataknobs.Record) ([]*dataknobs.Record, error) {
	for i, p := range b.parts {
		want := map[int64]bool{}
		last := int64(-1)
		for _, id := range ids {
			if row, ok := b.rowNumber(p, id); ok {
				want[row] = true
				last = max(last, row)
			}
		}
		if last < 0 {
			continue
		}
		if err := b.agree(ctx, nil); err != nil {
			return nil, err
		}
		n := newNeed(b)
		n.wantID()
		n.wantRecords(nil, true)
		r := n.newRow(b.parts[i])
		scan := n.codec
		scan.Workers = 1
		scan.Begin = func(int) (codec.Visitor, error) {
			return visitFunc(func(c codec.Row) error {
				switch row := c.Number(); {
				case row > last:
					return codec.ErrStop
				case want[row]:
					r.c = c
					rec, err := r.record()
					if err != nil {
						return err
					}
					recs = append(recs, rec)
				}
				return nil
			}), nil
		}
		if err := p.file().Scan(ctx, &scan); err != nil {
			return nil, err
		}
	}
	return recs, nil
}

// rowNumber reads an ID that is the number of a row of p.
func (b *base) rowNumber(p *part, id string) (int64, bool) {
	if p.rel != "" {
		rest, ok := strings.CutPrefix(id, p.rel+":")
		if !ok {
			return 0, false
		}
		id = rest
	}
	n, err := strconv.ParseInt(id, 10, 64)
	return n - 1, err == nil && n > 0 && itoa(n) == id
}
