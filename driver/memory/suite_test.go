package memory_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/drivertest"
)

func TestSuite(t *testing.T) {
	for _, c := range []struct {
		name  string
		index []string
	}{
		{"plain", nil},
		{"indexed", []string{"a", "b", "n", "name", "age", "_meta.source"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o memory.Options
			for _, p := range c.index {
				o.Index = append(o.Index, dataknobs.P(p))
			}
			drivertest.Run(t, drivertest.Harness{
				Open: func(t *testing.T) *dataknobs.DB { return open(t, o) },
			})
		})
	}
}
