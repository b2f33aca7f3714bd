package sqlgen

import (
	"time"

	"dataknobs.dev/dataknobs"
)

// OnlyTimes returns the kind time if all values at p, of which there are some,
// are times, else 0: what says how a text beside them is to be read. first
// returns the value at p of some record that a scan yields, null if there is
// none; count counts records.
func (t *Table) OnlyTimes(p dataknobs.Path, first func(*dataknobs.Scan) (dataknobs.Value, error),
	count func(dataknobs.Expr) (int64, error),
) (dataknobs.KindSet, error) {
	some := &dataknobs.Cond{Path: p, Op: dataknobs.IsNotNull}
	times := &dataknobs.Cond{Path: p, Op: dataknobs.Ge, Args: []dataknobs.Value{firstTime}}
	for _, c := range []*dataknobs.Cond{some, times} {
		if t.Filter(c).Fidelity != dataknobs.Exact {
			return 0, nil
		}
	}
	// The first value mostly settles it.
	v, err := first(&dataknobs.Scan{Where: some, Paths: []dataknobs.Path{p}, NoID: true, NoRevision: true, HasLimit: true, Limit: 1})
	if err != nil || v.Kind() != dataknobs.KindTime {
		return 0, err
	}
	all, err := count(some)
	if err != nil {
		return 0, err
	}
	n, err := count(times)
	if err != nil || n != all {
		return 0, err
	}
	return dataknobs.KindsOf(dataknobs.KindTime), nil
}

// firstTime is the first instant that a value can be.
var firstTime = dataknobs.Time(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
