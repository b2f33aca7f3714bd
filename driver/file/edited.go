package file

import (
	"context"

	"dataknobs.dev/dataknobs"
)

// checkEdited reads a file whole that another program has edited since its
// side file was written. A cell that is not of its column's kind would
// otherwise be found when the journal is folded into the file, after writes
// were acknowledged, and repairing the file would then leave them without the
// file that they are changes of.
func (b *base) checkEdited(ctx context.Context) error {
	if b.sound.Load() {
		return nil
	}
	if err := b.work.lock(ctx); err != nil {
		return err
	}
	defer b.work.unlock()
	if b.sound.Load() {
		return nil
	}
	if p := b.parts[0]; b.used != nil {
		same, err := b.side.exactly(p.f, p.info.Size())
		if err == nil && same == nil {
			err = b.readAll(ctx)
		}
		if err != nil {
			return ioError(p.name, err)
		}
	}
	b.sound.Store(true)
	return nil
}

// readAll reads every value of every row, for the errors. The caller holds work.
func (b *base) readAll(ctx context.Context) error {
	if _, err := b.parts[0].file().Layout(ctx); err != nil {
		return err
	}
	n := newNeed(b)
	n.wantRecords(nil, false)
	s := &snapshot{base: b, ov: newOverlay().freeze()}
	all, err := dataknobs.Compile(nil)
	if err != nil {
		return err
	}
	return accumulate(ctx, s, n, all, 0,
		func() struct{} { return struct{}{} },
		func(_ struct{}, r *row) error { _, err := r.record(); return err },
		func(struct{}) error { return nil })
}
