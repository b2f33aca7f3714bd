package file

import (
	"context"
	"fmt"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

func init() { dataknobs.Register(backend) }

var backend = &dataknobs.Backend{
	Name:    "file",
	Summary: "a CSV, TSV, JSON, NDJSON or Parquet file, or a folder of them",
	Doc: "The first write makes the file. A folder or a pattern (logs/*.csv.gz, logs/**/*.csv) of files of one kind reads as\n" +
		"one store; folders named key=value become fields. - is standard input and output.\n" +
		"Writes go to a journal beside the file (NAME.journal), are durable when they return, and are folded\n" +
		"into the file at close. One process writes at a time, any number read.",
	Needs: []string{
		"a folder that exists, and the right to write in it where records are written",
		"a file system with locks (flock) for writing: a local one, or a network one that has them",
	},
	Paths:    true,
	Settings: settings{},
	Can: []string{
		"every condition, sort with a limit, page, projection and aggregate in the store",
		"atomic batches", "durable writes with group commit", "readers in other processes", "metadata", "globs and hive folders",
	},
	Limits: []dataknobs.Limit{
		{Name: "records that the store sorts", Text: fmt.Sprintf("%d, with a limit of at most that; more are sorted above it", maxSorted)},
		{Name: "files of one folder or pattern", Text: fmt.Sprint(maxMembers)},
	},
	Features: func() *dataknobs.Features { return (&Driver{t: &target{}}).featuresOf(nil) },
	Open:     open,
}

type settings struct {
	Path string `option:"path" location:"true" required:"true" doc:"the file, folder or pattern, or - for standard input and output"`
	remote.Settings
	Indent   bool           `option:"indent" default:"false" doc:"whether JSON is written with indentation"`
	Create   string         `option:"create" enum:"write always never" default:"write" doc:"what a missing file is: made by the first write, an empty store, or an error"`
	ReadOnly bool           `option:"readonly" default:"false" doc:"refuse every write"`
	Sync     string         `option:"sync" enum:"always batch none" default:"always" doc:"when a write is on disk: before it returns, within a second, or when the system likes; the death of the process loses nothing in any case"`
	Fold     dataknobs.Size `option:"fold" default:"16MiB" doc:"past which size, or that of the file if it is larger, the journal is folded into the file"`
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	var s settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	o, err := s.options(c.Warn)
	if err != nil {
		return nil, err
	}
	return New(ctx, o)
}

// options makes of the settings what New takes.
func (s *settings) options(warn func(string)) (Options, error) {
	o := Options{
		Path: s.Path, Format: s.Format, Compression: s.Compression, Key: s.Key,
		ReadOnly: s.ReadOnly, Fold: int64(s.Fold), NoHive: !s.Hive, Indent: s.Indent, Warn: warn,
		Create: map[string]CreateMode{"always": CreateAlways, "never": CreateNever}[s.Create],
		Sync:   map[string]SyncMode{"batch": SyncBatch, "none": SyncNone}[s.Sync],
		CSV: CSVOptions{
			Nulls: s.Nulls, NoHeader: !s.Header, Strict: s.Headers == "strict",
			Pad: s.Ragged == "pad", Latin1: s.Encoding == "latin1",
		},
	}
	for _, k := range o.Key {
		if err := dataknobs.CheckName(k); err != nil {
			return o, dataknobs.Errorf(dataknobs.InvalidArgument, "option key: %w", err)
		}
	}
	var err error
	if o.CSV.Delimiter, err = delimiter(s.Delimiter); err != nil {
		return o, err
	}
	o.Types, err = kinds(s.Types)
	return o, err
}

// delimiter reads the option; 0: to be found out.
func delimiter(text string) (byte, error) {
	switch {
	case text == "":
		return 0, nil
	case strings.EqualFold(text, "tab") || text == `\t`:
		return '\t', nil
	case len(text) == 1 && text[0] < 0x80 && text != `"` && text != "\n" && text != "\r":
		return text[0], nil
	}
	return 0, dataknobs.Errorf(dataknobs.InvalidArgument, "option delimiter: %q is not one ASCII character, or tab", text)
}

func kinds(types []dataknobs.Pair) (map[string]dataknobs.Kind, error) {
	if len(types) == 0 {
		return nil, nil
	}
	all := map[string]dataknobs.Kind{}
	for _, p := range types {
		k, ok := dataknobs.ParseKind(p.Value)
		if !ok || k == dataknobs.KindNull {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "option types: there is no kind %q for %s", p.Value, p.Name).
				WithHint("the kinds are bool, int, float, time, string, bytes, array and object")
		}
		all[p.Name] = k
	}
	return all, nil
}
