package parquet

import (
	"dataknobs.dev/dataknobs"
)

// parseTagged reads the tagged JSON that our writer stores.
func parseTagged(s string) (dataknobs.Value, error) {
	return dataknobs.ParseTaggedJSON([]byte(s))
}
