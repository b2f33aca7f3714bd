package blocks

import (
	"bytes"
	"context"
	"io"

	"dataknobs.dev/dataknobs/codec"
)

// A Head reads the beginning of a source. Of a source that can be read once,
// it keeps the stream and what was read of it, for the scan to go on from.
type Head struct {
	Source *codec.Source
	Stream io.ReadCloser
	Bytes  []byte
}

// Read returns the first size bytes of the file; all says that it has no more.
func (h *Head) Read(ctx context.Context, size int) (head []byte, all bool, err error) {
	src := h.Source
	in := input{src: src, head: h.Bytes, stream: h.Stream, at: src.ReaderAt}
	if in.at == nil && in.stream == nil {
		if in.stream, err = src.Open(ctx); err != nil {
			return nil, false, err
		}
		if src.Once {
			h.Stream = in.stream
		} else {
			defer in.stream.Close()
		}
	}
	head = make([]byte, size+1)
	n, _, err := in.read(head)
	if src.Once {
		h.Bytes = bytes.Clone(head[:n])
	}
	if err != nil {
		return nil, false, err
	}
	return head[:min(n, size)], n <= size, nil
}
