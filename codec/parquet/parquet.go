// Package parquet reads and writes Parquet files. It reads pages by parquet-go,
// and makes its own, of whole columns, from that library's encodings.
//
// # Reading
//
// Any Parquet file is read, by its own schema:
//
//	BOOLEAN                           bool
//	INT32, INT64, (U)INT_8 … (U)INT_64  int; a UINT_64 beyond int64 is an error
//	FLOAT, DOUBLE, FLOAT16            float; NaN and the infinities are errors
//	DECIMAL                           int without a fraction and with up to 18 digits, else its exact text ("12.50")
//	STRING, ENUM, JSON                string; bad UTF-8 and NUL characters are errors
//	UUID                              string, in the usual lower-case form
//	BYTE_ARRAY, FIXED, BSON, INTERVAL bytes
//	DATE                              time, its midnight in UTC
//	TIME                              string, 15:04:05 with the fraction that it has
//	TIMESTAMP, INT96                  time; local ones read as UTC, nanoseconds cut to microseconds
//	group                             object
//	LIST, repeated fields             array
//	MAP                               object if its keys are strings, else an array of {key, value}
//
// Errors about a value have the code DataLoss and name the column and the row,
// counted from 0; they come only to who looks at the value. A null is an explicit
// null in a record. A column without a name is column1 by its position, a second x is x_2.
//
// A scan reads the columns that its slots and paths need, in blocks of rows that
// run on all cores, and decodes a page only when a row of it is looked at. Its
// condition is held against the statistics of row groups and pages, bloom filters
// and dictionaries, and then, column by column, against the decoded values: the
// visitor sees a superset of the rows that satisfy it. A row's offset is its number.
//
// # Writing
//
// The columns are those of the codec.Layout, all of them optional: bool is
// BOOLEAN, int INT64, float DOUBLE, string STRING, time TIMESTAMP(MICROS, UTC), bytes
// BYTE_ARRAY, array<kind> LIST, json JSON (tagged; see dataknobs.Value.AppendTaggedJSON),
// number STRING. The layout itself stands in the file's key-value metadata under
// dataknobs.layout, so that what was written is read back equal; other tools read the
// columns as they are.
//
// A row group has about 120,000 rows, a page 10,000 to 16,000. A column chunk has a dictionary
// until that is larger than 256 KiB, checksums, statistics of the chunk and of each page, and
// for IDs a bloom filter. Chunks of rows are encoded as they come, every column by itself, on all
// cores; what is kept of a row group until it is written is its encoded pages.
//
// Start reading at file.go; scan.go is a scan, chunk.go and page.go are what its
// workers share, vec.go the decoded values, nested.go what is not flat, prune.go and
// filter.go what is passed over. Of the writer, write.go is what its callers see, write_chunk.go
// and write_vector.go the rows on their way, write_page.go the pages, write_file.go the rest of the file.
package parquet

import "dataknobs.dev/dataknobs/codec"

// Format is the Parquet format.
type Format struct{}

var _ codec.Format = Format{}

// Name returns "parquet".
func (Format) Name() string { return "parquet" }
