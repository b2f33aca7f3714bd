package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"dataknobs.dev/dataknobs"
)

// compression is how a whole file is compressed.
type compression string

const (
	noCompression compression = ""
	gzipped       compression = "gzip"
	zstandard     compression = "zstd"
)

var compressionExts = map[compression][]string{gzipped: {".gz"}, zstandard: {".zst", ".zstd"}}

// magics are what compressed and binary files begin with.
var magics = []struct {
	what string
	text []byte
}{
	{"gzip", []byte{0x1f, 0x8b}},
	{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}},
	{"parquet", []byte("PAR1")},
}

// contentOf says what the first bytes of a file show it to be; "" for text.
func contentOf(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, m.text) {
			return m.what
		}
	}
	return ""
}

// checkContent compares the first bytes of a file with what it is taken for.
func checkContent(name string, head []byte, f *format, comp compression) error {
	want := string(comp)
	if f.binary {
		want = f.name
	}
	got := contentOf(head)
	switch {
	case len(head) == 0:
		return nil // it holds no records, whatever its format: see blankSource
	case got == want:
		return nil
	}
	says := "plain text"
	if got != "" {
		says = got + " data"
	}
	if want == "" {
		want = "plain " + f.name
	}
	e := dataknobs.Errorf(dataknobs.DataLoss, "%s is %s, not the %s that its name or options say", name, says, want)
	switch {
	case got == "parquet":
		return e.WithHint("say format=parquet")
	case f.binary:
		return e
	case got != "":
		return e.WithHint("say compression=%s", got)
	}
	return e.WithHint("say compression=none")
}

// decompress reads comp from f, which it owns.
func decompress(name string, f io.ReadCloser, comp compression) (io.ReadCloser, error) {
	r := &unpacked{name: name, file: f}
	var err error
	switch comp {
	case gzipped:
		var z *gzip.Reader
		z, err = gzip.NewReader(f)
		r.Reader = z
	case zstandard:
		var z *zstd.Decoder
		// One worker: a second would take a core from those that read the rows.
		z, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
		if err == nil {
			r.Reader, r.free = z, z.Close
		}
	default:
		r.Reader = f
	}
	if err != nil {
		f.Close()
		return nil, damaged(name, err)
	}
	return r, nil
}

// unpacked is a decompressed stream that says where it is damaged. Close may be
// called while another goroutine reads, which then ends.
type unpacked struct {
	name string
	file io.Closer

	mu     sync.Mutex // held while reading; guards the fields below
	Reader io.Reader
	free   func()
	closed bool
	n      int64
}

func (r *unpacked) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, os.ErrClosed
	}
	n, err := r.Reader.Read(p)
	r.n += int64(n)
	if err != nil && err != io.EOF && !errors.Is(err, os.ErrClosed) {
		err = dataknobs.Errorf(dataknobs.DataLoss, "%s: the compressed data is damaged or cut short after %d bytes of content: %w", r.name, r.n, err)
	}
	return n, err
}

func (r *unpacked) Close() error {
	err := r.file.Close() // a read that waits for more is over
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free != nil && !r.closed {
		r.free()
	}
	r.closed = true
	return err
}

func damaged(name string, err error) error {
	return dataknobs.Errorf(dataknobs.DataLoss, "%s: the compressed data is damaged: %w", name, err)
}

// compressTo returns a writer that compresses into w. Closing it does not
// close w.
func compressTo(w io.Writer, comp compression) (io.WriteCloser, error) {
	switch comp {
	case gzipped:
		return gzip.NewWriterLevel(w, gzip.BestSpeed+2)
	case zstandard:
		return zstd.NewWriter(w)
	}
	return plain{w}, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// contextReader ends with the context's error once ctx is done.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
