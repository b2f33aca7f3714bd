package json

import (
	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

// A plan says what a scan reads.
type plan struct {
	slots []slot
	// all: records have everything; else what paths says.
	all   bool
	paths jsontext.Filter
}

// A slot is a value that a visitor may ask for.
type slot struct {
	name string // the member of the record that it is in; "": always null
	rest dataknobs.Path
}

func (f *file) plan(s *codec.Scan) *plan {
	p := &plan{all: s.Paths == nil, paths: jsontext.Filter{}}
	for _, path := range s.Slots {
		p.slots = append(p.slots, f.slot(path))
	}
	for _, path := range s.Paths {
		if len(path) > 0 {
			first := path[0].Name
			if path.IsMetadata() {
				first = f.metaName
			}
			want(p.paths, first, path[1:])
		}
	}
	return p
}

// slot finds the member that a path leads into.
func (f *file) slot(path dataknobs.Path) slot {
	switch {
	case len(path) == 0 || path.IsRevision():
		return slot{}
	case path.IsID():
		return slot{name: f.idName}
	case path.IsMetadata():
		return slot{name: f.metaName, rest: path[1:]}
	case path[0].Name == f.idName || path[0].Name == f.metaName:
		return slot{}
	}
	return slot{name: path[0].Name, rest: path[1:]}
}

// want adds a path to a filter. All of an array is read when an element of it is wanted.
func want(f jsontext.Filter, name string, rest dataknobs.Path) {
	sub, seen := f[name]
	switch {
	case len(rest) == 0 || rest[0].Name == "":
		f[name] = nil
	case !seen:
		sub = jsontext.Filter{}
		f[name] = sub
		fallthrough
	default:
		if sub != nil {
			want(sub, rest[0].Name, rest[1:])
		}
	}
}

// maxNames is how many names of members are remembered from record to record.
const maxNames = 4096

// A name is one name of a record's members.
type name struct {
	quoted string // as it stands in the text, quotes included
	text   string
	first  uint64 // the first eight bytes of quoted
	mask   uint64 // of which these count
	next   int32  // the name that followed last time
	seen   uint64 // the record that had it last
	start  int    // where its value stood in that
	// role of the member
	id, meta bool
	skip     bool // no record has it
	filter   jsontext.Filter
	declared *declared
}

// A member is one member of the record that is being read.
type member struct {
	name  int32
	start int // of the value
}

// A worker visits the records of one block after another. It is the row.
type worker struct {
	f      *file
	plan   *plan
	r      jsontext.Reader
	at     place // of the block
	bad    int   // where the text is not UTF-8
	number int64
	start  int    // where the record starts
	key    []byte // of a keyed record
	err    error  // the first value that could not be read

	names   []name // names[0] stands before the first
	index   map[string]int32
	slots   []int32 // by slot: its name
	stamp   uint64  // counts the records, for name.seen
	members []member

	copier jsontext.Reader // of what records keep
	dense  int
	fields []dataknobs.Field // room for the next records
}

func newWorker(f *file, p *plan) *worker {
	w := &worker{f: f, plan: p}
	if f.o.Layout != nil {
		w.r.Tagged = f.o.Layout.Tagged
	}
	w.copier = jsontext.Reader{Tagged: w.r.Tagged, Copy: true}
	w.forget()
	return w
}

// forget starts with a fresh list of names.
func (w *worker) forget() {
	w.names = append(w.names[:0], name{})
	w.index = map[string]int32{}
	w.slots = w.slots[:0]
	for _, s := range w.plan.slots {
		id := int32(0)
		if s.name != "" {
			id = w.name(s.name)
		}
		w.slots = append(w.slots, id)
	}
}

// name returns the number of a name.
func (w *worker) name(text string) int32 {
	if id, ok := w.index[text]; ok {
		return id
	}
	n := name{text: text, quoted: `"` + text + `"`, id: text == w.f.idName, meta: text == w.f.metaName}
	var eight [8]byte
	k := copy(eight[:], n.quoted)
	n.first = lex.Load(eight[:], 0)
	n.mask = ^uint64(0) >> (64 - 8*k)
	if d, ok := w.f.declared[text]; ok && !n.id && !n.meta {
		n.declared = &d
	}
	if !w.plan.all {
		sub, ok := w.plan.paths[text]
		n.filter, n.skip = sub, !ok && !n.id
	}
	id := int32(len(w.names))
	w.names = append(w.names, n)
	w.index[text] = id
	return id
}

// object reads the record at i: it checks all of it, notes where the values of its
// members stand, and returns its end, or -1. The names of most records come in the
// order of the record before, so each is compared with the one that is expected.
func (w *worker) object(i int) int {
	if len(w.names) > maxNames {
		w.forget()
	}
	w.stamp++
	w.members = w.members[:0]
	r := &w.r
	text := r.Text
	i = r.Space(i + 1)
	if text[i] == '}' {
		return i + 1
	}
	prev := int32(0)
	for {
		id := w.names[prev].next
		n := &w.names[id]
		if k := len(n.quoted); k > 0 && lex.Load(text, i)&n.mask == n.first && (k <= 8 || i+k < len(text) && string(text[i+8:i+k]) == n.quoted[8:]) {
			i += k
			if text[i] == ':' && text[i+1] > ' ' {
				i++
			} else if i = r.Colon(i); i < 0 {
				return i
			}
		} else {
			if id, i = w.nameAt(i); i < 0 {
				return i
			}
			w.names[prev].next = id
			n = &w.names[id]
		}
		if n.seen == w.stamp {
			return w.fail(i, "the name "+n.quoted+" is there twice in one object")
		}
		n.seen, n.start = w.stamp, i
		w.members = append(w.members, member{id, i})
		if i = r.Skip(i, 1); i < 0 {
			r.Err.Path = append(dataknobs.Path{{Name: n.text}}, r.Err.Path...)
			return i
		}
		prev = id
		if text[i] <= ' ' {
			i = r.Space(i)
		}
		switch text[i] {
		case ',':
			if i++; text[i] != '"' {
				i = r.Space(i)
			}
		case '}':
			return i + 1
		default:
			return r.Unexpected(i, ", or }")
		}
	}
}

// nameAt reads a name that was not expected; it returns its number and where its value
// starts, or -1.
func (w *worker) nameAt(i int) (int32, int) {
	text, at := w.r.Name(i)
	if at < 0 {
		return 0, at
	}
	return w.name(text), at
}

func (w *worker) fail(at int, msg string) int {
	w.r.Err = &jsontext.Error{At: at, Msg: msg}
	return -1
}
