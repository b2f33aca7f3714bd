// Package parquet reads and writes Parquet files.
package parquet

import "dataknobs.dev/dataknobs/codec"

// Format is the Parquet format.
type Format struct{}

var _ codec.Format = Format{}

// Name returns "parquet".
func (Format) Name() string { return "parquet" }
