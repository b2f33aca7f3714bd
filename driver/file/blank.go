package file

import (
	"bytes"
	"context"
	"io"

	"dataknobs.dev/dataknobs/codec"
)

// blankSource is what a file of no bytes at all, such as touch makes, is read
// as: a file of that format, not compressed, that holds no records.
func blankSource(name string, f *format) (codec.Source, error) {
	text, err := f.blank()
	r := bytes.NewReader(text)
	return codec.Source{
		Name: name, ReaderAt: r, Size: r.Size(),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil },
	}, err
}

// blank is a file without records: no text at all is one, in the formats that are text.
func (f *format) blank() ([]byte, error) {
	if !f.binary {
		return nil, nil
	}
	var b bytes.Buffer
	w, err := f.codec.NewWriter(&b, &codec.WriteOptions{Layout: &codec.Layout{Version: 1}})
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}
