package file

import (
	"path/filepath"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A format is one kind of file as this store knows it.
type format struct {
	name   string
	exts   []string
	codec  codec.Format
	binary bool // read at random only, and compressed inside
	json   bool
	// dropsNulls: a null field cannot be told from an absent one.
	dropsNulls bool
}

// formatOf returns the format of that name; nil if there is none.
func formatOf(name string) *format {
	i := slices.IndexFunc(formats, func(f *format) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return formats[i]
}

func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// byExtension reads format and compression off a file's name; nil, "" where
// the name does not say.
func byExtension(name string) (*format, compression) {
	name = strings.ToLower(filepath.Base(name))
	comp := noCompression
	for c, exts := range compressionExts {
		for _, ext := range exts {
			if rest, ok := strings.CutSuffix(name, ext); ok {
				name, comp = rest, c
			}
		}
	}
	ext := filepath.Ext(name)
	for _, f := range formats {
		if slices.Contains(f.exts, ext) {
			return f, comp
		}
	}
	return nil, comp
}

// chooseFormat decides format and compression: an option beats the extension.
func chooseFormat(o *Options, name string) (*format, compression, error) {
	f, comp := byExtension(name)
	if o.Format != "" {
		if f = formatOf(strings.ToLower(o.Format)); f == nil {
			return nil, "", dataknobs.Errorf(dataknobs.InvalidArgument, "there is no format %q", o.Format).
				WithHint("the formats are %s", formatNames())
		}
	}
	if f == nil {
		return nil, "", unknownFormat(name)
	}
	if f.binary {
		if comp != noCompression {
			return nil, "", dataknobs.Errorf(dataknobs.Unsupported, "%s: a %s file is compressed inside, never as a whole", name, f.name)
		}
		return f, comp, checkInner(o.Compression)
	}
	switch c := compression(strings.ToLower(o.Compression)); c {
	case "":
	case "none":
		comp = noCompression
	case gzipped, zstandard:
		comp = c
	default:
		return nil, "", dataknobs.Errorf(dataknobs.InvalidArgument, "a %s file cannot have the compression %q", f.name, o.Compression).
			WithHint("it is none, gzip or zstd")
	}
	return f, comp, nil
}

// checkInner checks what the pages of a Parquet file are to be compressed with.
func checkInner(name string) error {
	if slices.Contains([]string{"", "none", "snappy", "gzip", "zstd"}, name) {
		return nil
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "a parquet file cannot have the compression %q", name).
		WithHint("it is none, snappy, gzip or zstd")
}

func unknownFormat(name string) error {
	what := "its name has no extension"
	if ext := filepath.Ext(name); ext != "" {
		what = "the extension " + ext + " is not known"
	}
	if name == "-" {
		what = "standard input and output have no extension"
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "%s: the format is unclear: %s", name, what).
		WithHint("name it with format=; the formats are %s", formatNames())
}
