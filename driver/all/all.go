// Package all registers every driver of this module: import it for its effect
// in a program that opens stores by name. A program that knows its stores
// imports their packages instead, and carries less.
package all

import (
	_ "dataknobs.dev/dataknobs/driver/elasticsearch" // es+http:
	_ "dataknobs.dev/dataknobs/driver/file"          // paths and file: URLs
	_ "dataknobs.dev/dataknobs/driver/memory"        // mem:
	_ "dataknobs.dev/dataknobs/driver/postgres"      // postgres:
	_ "dataknobs.dev/dataknobs/driver/s3"            // s3:
	_ "dataknobs.dev/dataknobs/driver/sqlite"        // sqlite:
)
