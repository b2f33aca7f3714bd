package memory

import (
	"context"

	"dataknobs.dev/dataknobs"
)

func init() {
	dataknobs.Register(&dataknobs.Backend{
		Name:    "memory",
		Schemes: []string{"mem"},
		Summary: "records in the memory of this process",
		Doc: "Every open of mem: is a store of its own, and is gone when it is closed.\n" +
			"Scans see the store at one moment and block no writer.",
		Needs:    []string{"nothing"},
		Settings: settings{},
		Can: []string{
			"every condition in the store", "declared indexes for conditions and sorting", "pages", "atomic batches",
			"scans of one moment", "metadata",
		},
		Limits:   []dataknobs.Limit{{Name: "the store", Text: "the memory of the process, or max_records and max_bytes"}},
		Features: func() *dataknobs.Features { return New(Options{}).Features() },
		Open:     open,
	})
}

type settings struct {
	Index      []dataknobs.Path `option:"index" doc:"paths to index, such as city,address.zip"`
	MaxRecords int64            `option:"max_records" min:"0" doc:"refuse to hold more records than this; 0: no bound"`
	MaxBytes   dataknobs.Size   `option:"max_bytes" doc:"refuse to hold more than about this much memory; 0: no bound"`
}

func open(_ context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	if c.Location != "" {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "a memory store has no location, but %q was given", c.Location).
			WithHint("write mem:, with options after a question mark")
	}
	var s settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	return New(Options{Index: s.Index, MaxRecords: s.MaxRecords, MaxBytes: int64(s.MaxBytes)}), nil
}
