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
		Doc: "Needs nothing. Every open of mem: is a store of its own, and is gone when it is closed.\n" +
			"Scans see the store at one moment and block no writer.",
		Options: []dataknobs.OptionInfo{
			{Name: "index", Kind: dataknobs.OptionList, Doc: "paths to index, such as city,address.zip"},
			{Name: "max_records", Kind: dataknobs.OptionInt, Doc: "refuse to hold more records than this; 0: no bound"},
			{Name: "max_bytes", Kind: dataknobs.OptionSize, Doc: "refuse to hold more than about this much memory; 0: no bound"},
		},
		Open: open,
	})
}

func open(_ context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	if c.Location != "" {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "a memory store has no location, but %q was given", c.Location).
			WithHint("write mem:, with options after a question mark")
	}
	o := Options{MaxRecords: c.Int("max_records"), MaxBytes: c.Size("max_bytes")}
	if o.MaxRecords < 0 {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "max_records is %d; it must not be negative", o.MaxRecords)
	}
	for _, text := range c.List("index") {
		p, err := dataknobs.ParsePath(text)
		if err != nil {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "option index: %w", err)
		}
		o.Index = append(o.Index, p)
	}
	return New(o), nil
}
