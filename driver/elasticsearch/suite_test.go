package elasticsearch_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/internal/servers"
)

// The long tests run beside each other, since most of their time is the node's.
func TestSuite(t *testing.T) {
	t.Parallel()
	server := servers.Elasticsearch(t)
	beside := func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
		return openIndex(t, options(t, server, indexOf(db)))
	}
	drivertest.Run(t, drivertest.Harness{
		Open: func(t *testing.T) *dataknobs.DB { return openNew(t) },
		Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
			db.Close()
			return beside(t, db)
		},
		Beside: beside,
		Slow:   true,

		Differential: drivertest.DifferentialOptions{Stores: 2}, // internal/fidelity does the rest
	})
}

// TestCrowded is the differential test on indexes whose mapping has no room for
// most paths, and whose searches have to look in two places.
func TestCrowded(t *testing.T) {
	t.Parallel()
	server := servers.Elasticsearch(t)
	with := func(t *testing.T, index string) *dataknobs.DB {
		o := options(t, server, index)
		o.MaxFields = 16
		return openIndex(t, o)
	}
	open := func(t *testing.T) *dataknobs.DB { return with(t, newIndex(t, server)) }
	drivertest.Differential(t, drivertest.Harness{
		Open: open,
		Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
			db.Close()
			return with(t, indexOf(db))
		},
		Slow: true,
	}, drivertest.DifferentialOptions{Seed: 1000})
}
