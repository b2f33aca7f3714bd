package json

import (
	"bytes"
	"context"

	"dataknobs.dev/dataknobs/codec/internal/blocks"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
)

const (
	headSize    = 16 << 10 // how much of the beginning is looked at first
	maxHeadSize = 1 << 20  // and at most
)

// open finds out the form.
func (f *file) open(ctx context.Context, how Format) error {
	for size := headSize; ; size *= 8 {
		h := blocks.Head{Source: &f.src, Stream: f.stream, Bytes: f.head}
		head, all, err := h.Read(ctx, size)
		f.stream, f.head = h.Stream, h.Bytes
		if err != nil {
			return err
		}
		if ok, err := f.look(head, all || size >= maxHeadSize, how); ok || err != nil {
			return err
		}
	}
}

// look settles the form from the beginning of the file. It is not ok when more
// of it must be seen; final says that there is no more to see.
func (f *file) look(head []byte, final bool, how Format) (ok bool, err error) {
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return false, f.errorf("is UTF-16 text").WithHint("convert it to UTF-8 first, for example with iconv")
	}
	bom := 0
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		bom = 3
	}
	r := &jsontext.Reader{Text: append(bytes.Clone(head), make([]byte, jsontext.Slack)...)}
	i := r.Space(bom)
	f.start = blocks.Block{Offset: int64(i), Line: 1 + int64(bytes.Count(head[:i], []byte{'\n'}))}
	if r.AtEnd(i) {
		f.empty = final
		return final, nil
	}
	switch c := r.Text[i]; {
	case how.lines:
		f.form = formLines
		f.note(r, i)
		return true, nil
	case c == '[':
		f.form = formArray
		f.start.Offset++
		f.note(r, r.Space(i+1))
		return true, nil
	case c != '{':
		return false, f.errorf("line %d: this is no JSON array or object", f.start.Line).
			WithHint("a JSON file is an array of objects, or one object that holds objects, or one object on each line")
	}
	return f.lookObject(r, i, final)
}

// lookObject settles the form of a file that starts with an object.
func (f *file) lookObject(r *jsontext.Reader, i int, final bool) (ok bool, err error) {
	if f.o.Layout != nil && f.o.Layout.Keyed {
		f.setKeyed()
		return true, nil
	}
	end := r.Skip(i, 0)
	if end < 0 {
		if r.AtEnd(r.Err.At) && !final {
			return false, nil
		}
		// Wrong or very long: the scan will say what is wrong.
		f.form = formValues
		if first, _ := f.members(r, i); first {
			f.setKeyed()
		}
		return true, nil
	}
	if next := r.Space(end); r.AtEnd(next) {
		if !final {
			return false, nil
		}
		f.form = formValues
		if _, all := f.members(r, i); all {
			f.setKeyed()
			return true, nil
		}
	} else if bytes.IndexByte(r.Text[i:end], '\n') < 0 && bytes.IndexByte(r.Text[end:next], '\n') >= 0 {
		f.form = formLines
	} else {
		f.form = formValues
	}
	f.note(r, i)
	return true, nil
}

func (f *file) setKeyed() {
	f.form = formKeyed
	f.start.Offset++
}

// members reports whether the first member of the object at i is an object,
// and whether all are that can be seen.
func (f *file) members(r *jsontext.Reader, i int) (first, all bool) {
	i = r.Space(i + 1)
	all = true
	for n := 0; r.Text[i] == '"'; n++ {
		if i = r.SkipString(i); i < 0 {
			return first, all
		}
		if i = r.Colon(i); i < 0 {
			return first, all
		}
		is := r.Text[i] == '{'
		first = first || n == 0 && is
		all = all && is
		if i = r.Skip(i, 1); i < 0 {
			return first, all
		}
		if i = r.Space(i); r.Text[i] == ',' {
			i = r.Space(i + 1)
		}
	}
	return first, all
}

// note looks whether the first record, at i, has an ID and metadata.
func (f *file) note(r *jsontext.Reader, i int) {
	if r.Text[i] != '{' {
		return
	}
	for i = r.Space(i + 1); r.Text[i] == '"'; {
		name, at := r.Name(i)
		if at < 0 {
			return
		}
		f.hasID = f.hasID || name == f.idName
		f.hasMeta = f.hasMeta || name == f.metaName && r.Text[at] == '{'
		if i = r.Skip(at, 1); i < 0 {
			return
		}
		if i = r.Space(i); r.Text[i] == ',' {
			i = r.Space(i + 1)
		}
	}
}
