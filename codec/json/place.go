package json

import (
	"bytes"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// A place is somewhere in a block of the file.
type place struct {
	f      *file
	data   []byte
	offset int64 // of data[0] in the file
	line   int64 // that data[0] stands on; 0: not known
	pos    int   // in data
}

func (f *file) place(b *blocks.Block, data []byte, pos int) place {
	return place{f: f, data: data, offset: b.Offset, line: b.Line, pos: pos}
}

// at returns the place pos of the same block.
func (p place) at(pos int) place {
	p.pos = min(pos, len(p.data))
	return p
}

// errorf returns a DataLoss error with file, line and column, or byte offset.
func (p place) errorf(format string, args ...any) *dataknobs.Error {
	before := p.data[:p.pos]
	if p.line == 0 {
		return p.f.errorf("byte %d: "+format, append([]any{p.offset + int64(p.pos)}, args...)...)
	}
	line := p.line + int64(bytes.Count(before, []byte{'\n'}))
	column := int64(p.pos - bytes.LastIndexByte(before, '\n'))
	if line == p.line { // it began before this block, or at its start
		if line > 1 && p.f.form != formLines {
			return p.f.errorf("line %d, byte %d of the file: "+format, append([]any{line, p.offset + int64(p.pos)}, args...)...)
		}
		if line == 1 {
			column += p.offset
		}
	}
	return p.f.errorf("line %d, column %d: "+format, append([]any{line, column}, args...)...)
}

// syntax returns the error that the reader has met.
func (w *worker) syntax() error { return w.errorAt(w.r.Err.At, w.r.Err.Path, "%s", w.r.Err.Msg) }

// errorAt returns an error about the value that path leads to.
func (w *worker) errorAt(at int, path dataknobs.Path, format string, args ...any) error {
	p := w.at.at(at)
	if len(path) > 0 {
		return p.errorf("field %s: "+format, append([]any{path}, args...)...)
	}
	return p.errorf(format, args...)
}
