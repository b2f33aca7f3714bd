package sqlite

import (
	"fmt"

	"dataknobs.dev/dataknobs/driver/internal/lite"
)

// setUp makes a new connection ready. The numbers and words in the statements
// are of this package's own making.
func setUp(c *lite.Conn, o *Options) error {
	for _, pragma := range []string{
		fmt.Sprintf("pragma cache_size = -%d", max(o.Cache>>10, 1)),
		fmt.Sprintf("pragma mmap_size = %d", o.Mmap),
		"pragma synchronous = " + o.Sync.String(),
		"pragma foreign_keys = on",
		"pragma trusted_schema = off", // a database may come from anywhere
		"pragma cell_size_check = on",
	} {
		if err := c.Exec(pragma); err != nil {
			return err
		}
	}
	return addFunctions(c)
}
