package file

import (
	"context"
	"strings"

	"dataknobs.dev/dataknobs"
)

func init() { dataknobs.Register(backend()) }

func backend() *dataknobs.Backend {
	return &dataknobs.Backend{
		Name:    "file",
		Summary: "a CSV, TSV, JSON, NDJSON or Parquet file, or a folder of them",
		Doc: "Needs a file, which the first write makes, in a folder that exists. A folder or a pattern\n" +
			"(logs/*.csv.gz, logs/**/*.csv) of files of one kind reads as one store; folders named key=value become\n" +
			"fields. - is standard input and output.\n" +
			"Writes go to a journal beside the file (NAME.journal), are durable when they return, and are folded\n" +
			"into the file at close. One process writes at a time, any number read.",
		Paths: true,
		Options: []dataknobs.OptionInfo{
			{Name: "format", Kind: dataknobs.OptionEnum, Enum: strings.Split(formatNames(), ", "), Doc: "the format, where the extension does not say it"},
			{Name: "compression", Kind: dataknobs.OptionEnum, Enum: []string{"none", "gzip", "zstd", "snappy"}, Doc: "how the file is compressed, where the extension does not say it; for parquet, how new pages are (snappy)"},
			{Name: "key", Kind: dataknobs.OptionList, Doc: "the fields whose text is the ID, such as tailnum or origin,time_hour"},
			{Name: "nulls", Kind: dataknobs.OptionList, Doc: "words that mean null in a CSV file, such as NA,-"},
			{Name: "types", Kind: dataknobs.OptionMap, Doc: "kinds of fields, such as zip:string,price:float"},
			{Name: "delimiter", Kind: dataknobs.OptionString, Doc: "the delimiter of a CSV file: one character, or tab; found out by itself"},
			{Name: "header", Kind: dataknobs.OptionBool, Default: "true", Doc: "whether the first line of a CSV file names the columns; else they are column1, column2, …"},
			{Name: "headers", Kind: dataknobs.OptionEnum, Enum: []string{"lenient", "strict"}, Default: "lenient", Doc: "whether empty and repeated column names get a name and a warning, or are an error"},
			{Name: "ragged", Kind: dataknobs.OptionEnum, Enum: []string{"error", "pad"}, Default: "error", Doc: "what to do about a CSV row that is too short: pad makes the missing cells null"},
			{Name: "encoding", Kind: dataknobs.OptionEnum, Enum: []string{"utf-8", "latin1"}, Default: "utf-8", Doc: "the encoding of a CSV file"},
			{Name: "hive", Kind: dataknobs.OptionBool, Default: "true", Doc: "whether folders named key=value are fields"},
			{Name: "indent", Kind: dataknobs.OptionBool, Default: "false", Doc: "whether JSON is written with indentation"},
			{Name: "create", Kind: dataknobs.OptionEnum, Enum: []string{"write", "always", "never"}, Default: "write", Doc: "what a missing file is: made by the first write, an empty store, or an error"},
			{Name: "readonly", Kind: dataknobs.OptionBool, Default: "false", Doc: "refuse every write"},
			{Name: "sync", Kind: dataknobs.OptionEnum, Enum: []string{"always", "batch", "none"}, Default: "always", Doc: "when a write is on disk: before it returns, within a second, or when the system likes; the death of the process loses nothing in any case"},
			{Name: "fold", Kind: dataknobs.OptionSize, Default: "16MiB", Doc: "past which size, or that of the file if it is larger, the journal is folded into the file"},
		},
		Can: []string{
			"every condition, sort with a limit, page, projection and aggregate in the store",
			"atomic batches", "durable writes with group commit", "readers in other processes", "metadata", "globs and hive folders",
		},
		Open: open,
	}
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	return New(ctx, o)
}

// optionsOf reads the settings, which have been checked against backend.
func optionsOf(c *dataknobs.Config) (Options, error) {
	o := Options{
		Path: c.Location, Format: c.String("format"), Compression: c.String("compression"),
		Key: c.List("key"), ReadOnly: c.Bool("readonly"), Fold: c.Size("fold"),
		NoHive: !c.Bool("hive"), Indent: c.Bool("indent"), Warn: c.Warn,
		CSV: CSVOptions{
			Nulls: c.List("nulls"), NoHeader: !c.Bool("header"), Strict: c.String("headers") == "strict",
			Pad: c.String("ragged") == "pad", Latin1: c.String("encoding") == "latin1",
		},
	}
	o.Create = map[string]CreateMode{"always": CreateAlways, "never": CreateNever}[c.String("create")]
	o.Sync = map[string]SyncMode{"batch": SyncBatch, "none": SyncNone}[c.String("sync")]
	for _, k := range o.Key {
		if err := dataknobs.CheckName(k); err != nil {
			return o, dataknobs.Errorf(dataknobs.InvalidArgument, "option key: %w", err)
		}
	}
	switch d := c.String("delimiter"); {
	case d == "":
	case strings.EqualFold(d, "tab") || d == `\t`:
		o.CSV.Delimiter = '\t'
	case len(d) == 1 && d[0] < 0x80 && d != `"` && d != "\n" && d != "\r":
		o.CSV.Delimiter = d[0]
	default:
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "option delimiter: %q is not one ASCII character, or tab", d)
	}
	for _, p := range c.Map("types") {
		k, ok := dataknobs.ParseKind(p.Value)
		if !ok || k == dataknobs.KindNull {
			return o, dataknobs.Errorf(dataknobs.InvalidArgument, "option types: there is no kind %q for %s", p.Value, p.Name).
				WithHint("the kinds are bool, int, float, time, string, bytes, array and object")
		}
		if o.Types == nil {
			o.Types = map[string]dataknobs.Kind{}
		}
		o.Types[p.Name] = k
	}
	return o, nil
}
