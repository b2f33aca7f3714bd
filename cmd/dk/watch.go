package main

import (
	"iter"

	"dataknobs.dev/dataknobs"
)

// A watch shows how a query reads its store, until the first result is there:
// what is printed after that is progress enough.
type watch struct {
	p     *progress
	stats dataknobs.ScanStats
}

func (a *app) watch(what string) *watch {
	w := &watch{}
	w.p = a.progress(what, "record", 0)
	w.p.source = w.stats.Records.Load
	return w
}

func (w *watch) finish() { w.p.finish() }

// options are those of a Run whose results are printed in that shape.
func (w *watch) options(s shape) []dataknobs.RunOption {
	opts := []dataknobs.RunOption{dataknobs.CollectStats(&w.stats)}
	if !s.id {
		opts = append(opts, dataknobs.OmitIDs())
	}
	if !s.rev {
		opts = append(opts, dataknobs.OmitRevisions())
	}
	return opts
}

// until takes the progress away when the first record comes.
func (w *watch) until(recs iter.Seq2[*dataknobs.Record, error]) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		defer w.finish()
		for rec, err := range recs {
			w.finish()
			if !yield(rec, err) {
				return
			}
		}
	}
}
