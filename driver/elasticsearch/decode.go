package elasticsearch

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A decoder reads what the server sends. It belongs to one goroutine.
type decoder struct {
	reader
	foreign *mapping // not nil: the documents are not of our making
	partial bool     // the documents are read in part
	times   marks
	bytes   marks
	fieldOf map[string]string // a name in a document → the field's
	several bool              // an ID may be in several indexes: the first counts
}

// A hit is one document of an answer.
type hit struct {
	id       string
	index    []byte // its index's name, quoted
	found    bool
	told     bool  // found was said
	seq, per int64 // its sequence number and primary term
	source   []byte
	sort     []byte
	err      []byte // of an item of a multi-get
}

func newDecoder(m *mapping) *decoder {
	d := &decoder{fieldOf: map[string]string{}}
	d.names = map[string]string{}
	if m != nil && m.foreign {
		d.foreign = m
	}
	return d
}

// hit reads one document of an answer.
func (d *decoder) hit() hit {
	h := hit{found: true, seq: -1}
	d.object(func(name []byte) {
		switch string(name) {
		case "_id":
			h.id = d.text()
		case "_index":
			h.index = d.skip()
		case "_seq_no":
			h.seq = d.integer()
		case "_primary_term":
			h.per = d.integer()
		case "found":
			h.found, h.told = d.boolean(), true
		case "_source":
			h.source = d.skip()
		case "sort":
			h.sort = d.skip()
		case "error":
			h.err = d.skip()
		default:
			d.skip()
		}
	})
	return h
}

func (h *hit) revision() string { return revisionOf(h.seq, h.per) }

func revisionOf(seq, term int64) string {
	if seq < 0 {
		return ""
	}
	b := strconv.AppendInt(make([]byte, 0, 24), seq, 10)
	return string(strconv.AppendInt(append(b, '.'), term, 10))
}

// record returns the record of a document.
func (d *decoder) record(h *hit) (*dataknobs.Record, error) {
	rec := &dataknobs.Record{ID: h.id, Revision: h.revision()}
	if h.source == nil {
		return rec, nil
	}
	around := d.reader
	d.b, d.i, d.depth = h.source, 0, 0
	ok := d.document(rec)
	bad := d.bad
	d.b, d.i, d.depth, d.bad = around.b, around.i, around.depth, around.bad
	if bad || !ok {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "the document %q cannot be read", h.id)
	}
	return rec, nil
}

// document reads a document into rec.
func (d *decoder) document(rec *dataknobs.Record) bool {
	if d.foreign != nil {
		rec.Fields = d.fields()
		d.foreign.interpret(rec.Fields)
		return !d.bad
	}
	var own own
	rec.Fields = make(dataknobs.Fields, 0, len(d.seq))
	d.object(func(name []byte) {
		switch string(name) {
		case ownField:
			own = d.own()
		case metaField:
			rec.Metadata = d.fields()
		default:
			rec.Fields = append(rec.Fields, dataknobs.Field{Name: d.fieldName(name, len(rec.Fields)), Value: d.value()})
		}
	})
	for _, f := range own.odd {
		rec.Fields = append(rec.Fields, dataknobs.Field{Name: d.fieldName([]byte(f.Name), -1), Value: f.Value})
	}
	return d.times.apply(rec, own.times, maker{timeOf, d.partial}) && d.bytes.apply(rec, own.bytes, maker{bytesOf, d.partial})
}

// fieldName returns the field that a name in a document stands for. Documents
// mostly have the same names in the same order.
func (d *decoder) fieldName(b []byte, at int) string {
	if at >= 0 && at < len(d.seq) && d.seq[at] == string(b) {
		return d.seq[at]
	}
	name, ok := d.fieldOf[string(b)]
	if !ok {
		name = unescape(string(b))
		if len(d.fieldOf) > 10_000 {
			clear(d.fieldOf)
		}
		d.fieldOf[string(b)] = name
	}
	if at == len(d.seq) && at < 1000 {
		d.seq = append(d.seq, name)
	} else if at >= 0 && at < len(d.seq) {
		d.seq[at] = name
	}
	return name
}

// own is what a document's part _dk says to a reader of records.
type own struct {
	times, bytes []byte // JSON
	odd          dataknobs.Fields
}

func (d *decoder) own() own {
	var o own
	d.object(func(name []byte) {
		switch string(name) {
		case timesPart:
			o.times = d.skip()
		case bytesPart:
			o.bytes = d.skip()
		case oddPart:
			o.odd = d.fields()
		default:
			d.skip()
		}
	})
	return o
}

// marks are the places of values that JSON shows as strings. Those of the last
// document are kept, since the next one mostly has the same.
type marks struct {
	raw  []byte
	root place
	bad  bool
}

// A place is a value with marked values inside, or a marked value itself.
type place struct {
	step   dataknobs.Step
	inside []place
	marked bool
}

// A maker makes values of the strings at marked places.
type maker struct {
	of func(string) (dataknobs.Value, bool)
	// partial: an array may lack those of its elements in which the fields that are
	// wanted are not, so that the marks of what is left do not fit. Then nobody
	// looks at it: the way to a field leads through no array.
	partial bool
}

// apply turns the strings at the places that raw lists into what f makes of
// them. The record's values are fresh.
func (m *marks) apply(rec *dataknobs.Record, raw []byte, f maker) bool {
	if raw == nil {
		return true
	}
	if !bytes.Equal(raw, m.raw) {
		m.parse(raw)
	}
	ok := !m.bad
	for i := range m.root.inside {
		p := &m.root.inside[i]
		if p.step.Name == metaField {
			ok = p.applyFields(rec.Metadata, f) && ok
		} else {
			ok = p.applyField(rec.Fields, f) && ok
		}
	}
	return ok
}

func (m *marks) parse(raw []byte) {
	r := reader{b: raw}
	m.raw, m.root = append(m.raw[:0], raw...), place{}
	r.array(func() { m.root.add(parseAt(r.text())) })
	m.bad = r.bad
}

func (p *place) add(path dataknobs.Path) {
	if len(path) == 0 {
		p.marked = true
		return
	}
	// Marks are listed as their values come, so the last place is the usual one.
	if n := len(p.inside); n == 0 || p.inside[n-1].step != path[0] {
		p.inside = append(p.inside, place{step: path[0]})
	}
	p.inside[len(p.inside)-1].add(path[1:])
}

// applyField changes the field that p names. A part of the document that was
// not read is no fault.
func (p *place) applyField(fields dataknobs.Fields, f maker) bool {
	for i := range fields {
		if fields[i].Name == p.step.Name {
			return p.applyTo(&fields[i].Value, f)
		}
	}
	return true
}

func (p *place) applyFields(fields dataknobs.Fields, f maker) bool {
	ok := true
	for i := range p.inside {
		ok = p.inside[i].applyField(fields, f) && ok
	}
	return ok
}

func (p *place) applyTo(v *dataknobs.Value, f maker) (ok bool) {
	switch {
	case v.IsNull():
		return true
	case p.marked && v.Kind() == dataknobs.KindString:
		*v, ok = f.of(v.Str())
		return ok
	case v.Kind() == dataknobs.KindObject:
		fields := v.Fields()
		ok = p.applyFields(fields, f)
		*v = dataknobs.AdoptObject(fields)
		return ok
	case v.Kind() == dataknobs.KindArray:
		vs := slices.Collect(v.Elems())
		ok = true
		for i := range p.inside {
			if at := p.inside[i].step.Index; at < len(vs) {
				ok = p.inside[i].applyTo(&vs[at], f) && ok
			} else {
				ok = false
			}
		}
		*v = dataknobs.AdoptArray(vs)
		return ok || f.partial
	}
	return false
}

// parseAt reads a path as encoder.at writes it.
func parseAt(text string) dataknobs.Path {
	var p dataknobs.Path
	for text != "" {
		end := len(text)
		if i := strings.IndexAny(text[1:], "/["); i >= 0 {
			end = i + 1
		}
		switch step := text[:end]; step[0] {
		case '[':
			i, _ := strconv.Atoi(strings.Trim(step, "[]"))
			p = append(p, dataknobs.Step{Index: max(i, 0)})
		case '/':
			p = append(p, dataknobs.Step{Name: unescape(step[1:])})
		default:
			p = append(p, dataknobs.Step{Name: unescape(step)})
		}
		text = text[end:]
	}
	return p
}

func timeOf(text string) (dataknobs.Value, bool) { return dataknobs.ParseTime(text) }

func bytesOf(text string) (dataknobs.Value, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return dataknobs.AdoptBytes(b), err == nil
}
