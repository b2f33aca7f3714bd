package file

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs/codec"
)

// direct is a file that is being written in one pass.
type direct struct {
	t      *temp
	h      *xxh3.Hasher
	count  *countingWriter
	buf    *bufio.Writer
	z      io.WriteCloser
	out    codec.Writer
	layout *codec.Layout
}

// startDirect opens a new file. Its layout is fixed with the first record.
func (d *Driver) startDirect(layout *codec.Layout) (*direct, error) {
	mode, err := d.modeOf()
	if err != nil {
		return nil, err
	}
	x := &direct{h: xxh3.New(), layout: layout}
	if x.t, err = newTemp(d.fs, d.t.path, mode); err != nil {
		return nil, err
	}
	x.count = &countingWriter{w: io.MultiWriter(x.t.f, x.h)}
	x.buf = bufio.NewWriterSize(x.count, 256<<10)
	if x.z, err = compressTo(x.buf, d.t.comp); err != nil {
		x.t.discard()
		return nil, err
	}
	return x, nil
}

// modeOf is the mode of the file; 0 if there is none.
func (d *Driver) modeOf() (os.FileMode, error) {
	info, err := os.Stat(d.t.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, ioError(d.t.path, err)
	}
	return info.Mode().Perm(), nil
}

// begin fixes the layout.
func (x *direct) begin(d *Driver, layout *codec.Layout) (err error) {
	x.layout = layout
	x.out, err = d.t.format.codec.NewWriter(x.z, d.writeOptions(layout))
	return err
}

// end completes the file.
func (x *direct) end(d *Driver) (mark, error) {
	err := x.out.Close()
	if err == nil {
		err = x.z.Close()
	}
	if err == nil {
		err = x.buf.Flush()
	}
	if err == nil {
		err = x.t.seal(d.t.path)
	}
	return mark{Size: x.count.n, Hash: hexOf(x.h.Sum128())}, ioError(d.t.name, err)
}

func (d *Driver) writeOptions(layout *codec.Layout) *codec.WriteOptions {
	o := &codec.WriteOptions{Layout: layout, Indent: d.o.Indent && d.t.format.name == "json"}
	if d.t.format.binary {
		o.Compression = strings.ToLower(d.o.Compression)
	}
	return o
}
