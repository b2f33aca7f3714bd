package parquet

import (
	"bytes"
	"context"
	"io"
	"os"

	"dataknobs.dev/dataknobs"
)

// spoolMemory is how much of a source is kept in memory; more goes to a file.
const spoolMemory = 8 << 20

// A spooled is a copy of a source that can be read at random.
type spooled struct {
	mem  []byte
	file *os.File // nil: all is in mem
	size int64
}

func (s *spooled) copy(ctx context.Context, r io.Reader) error {
	r = &ctxReader{ctx, r}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, spoolMemory))
	if err != nil {
		return err
	}
	s.mem, s.size = b.Bytes(), n
	if n < spoolMemory {
		return nil
	}
	f, err := os.CreateTemp("", "dataknobs-*.parquet")
	if err != nil {
		return dataknobs.Errorf(dataknobs.ResourceExhausted, "a temporary copy of the file: %w", err)
	}
	s.file = f
	n, err = io.Copy(f, io.MultiReader(bytes.NewReader(s.mem), r))
	s.mem, s.size = nil, n
	if err != nil {
		f.Close()
		os.Remove(f.Name())
	}
	return err
}

func (s *spooled) ReadAt(b []byte, at int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(b, at)
	}
	return bytes.NewReader(s.mem).ReadAt(b, at)
}

// A ctxReader stops reading when its context is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
