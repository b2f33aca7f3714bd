package file

import (
	"dataknobs.dev/dataknobs/codec/csv"
	"dataknobs.dev/dataknobs/codec/json"
	"dataknobs.dev/dataknobs/codec/parquet"
)

// formats are the kinds of files there are.
var formats = []*format{
	{name: "csv", exts: []string{".csv"}, codec: csv.Format{}, dropsNulls: true},
	{name: "tsv", exts: []string{".tsv", ".tab"}, codec: csv.TSV, dropsNulls: true},
	{name: "json", exts: []string{".json"}, codec: json.Format{}, json: true},
	{name: "ndjson", exts: []string{".ndjson", ".jsonl"}, codec: json.NDJSON, json: true},
	{name: "parquet", exts: []string{".parquet"}, codec: parquet.Format{}, binary: true, dropsNulls: true},
}
