package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// json reads JSON. A key that stands twice is a fault.
func (r *reader) json() *Node {
	d := json.NewDecoder(bytes.NewReader(r.Data))
	d.UseNumber()
	n := r.jsonValue(d, "", 1)
	if n == nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		r.faults.addf(r.jsonPlace(d), "", "something stands after the end of the JSON value")
		return nil
	}
	return n
}

// jsonPlace is the place of the next token.
func (r *reader) jsonPlace(d *json.Decoder) Place {
	i := int(d.InputOffset())
	for i < len(r.Data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.Data[i]) >= 0 {
		i++
	}
	return r.place(i)
}

func (r *reader) jsonToken(d *json.Decoder) (json.Token, Place, bool) {
	at := r.jsonPlace(d)
	t, err := d.Token()
	if err == nil {
		return t, at, true
	}
	var bad *json.SyntaxError
	switch {
	case errors.As(err, &bad):
		at = r.place(int(bad.Offset) - 1)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at, err = r.place(len(r.Data)), errors.New("the JSON value does not end")
	}
	r.faults.addf(at, "", "%w", err)
	return nil, at, false
}

func (r *reader) jsonValue(d *json.Decoder, path string, depth int) *Node {
	t, at, ok := r.jsonToken(d)
	if !ok || r.deep(at, depth) || !r.room(at, 1) {
		return nil
	}
	switch t := t.(type) {
	case string:
		return scalar(Text, t, at)
	case json.Number:
		return scalar(Number, t.String(), at)
	case bool:
		if t {
			return scalar(Bool, "true", at)
		}
		return scalar(Bool, "false", at)
	case json.Delim:
		if t == '[' {
			return r.jsonList(d, path, at, depth)
		}
		return r.jsonMap(d, path, at, depth)
	}
	return scalar(Null, "", at)
}

func (r *reader) jsonList(d *json.Decoder, path string, at Place, depth int) *Node {
	var items []*Node
	for d.More() {
		n := r.jsonValue(d, path, depth+1)
		if n == nil {
			return nil
		}
		items = append(items, n)
	}
	if _, _, ok := r.jsonToken(d); !ok {
		return nil
	}
	return listOf(at, items)
}

func (r *reader) jsonMap(d *json.Decoder, path string, at Place, depth int) *Node {
	m := newMap(r, path, at)
	for d.More() {
		t, keyAt, ok := r.jsonToken(d)
		if !ok {
			return nil
		}
		key, _ := t.(string)
		n := r.jsonValue(d, under(path, key), depth+1)
		if n == nil {
			return nil
		}
		m.set(key, keyAt, n)
	}
	if _, _, ok := r.jsonToken(d); !ok {
		return nil
	}
	return m.node()
}

// A mapMaker collects the keys of a map.
type mapMaker struct {
	r      *reader
	path   string
	at     Place
	keys   []string
	values []*Node
	first  map[string]Place
}

func newMap(r *reader, path string, at Place) *mapMaker {
	return &mapMaker{r: r, path: path, at: at, first: map[string]Place{}}
}

func (m *mapMaker) set(key string, at Place, n *Node) {
	before, twice := m.first[key]
	switch {
	case twice:
		m.r.faults.addf(at, under(m.path, key), "the key stands twice; first at line %d", before.Line)
		return
	case key == "":
		m.r.faults.addf(at, m.path, "a key is empty")
		return
	}
	m.first[key] = at
	m.keys, m.values = append(m.keys, key), append(m.values, n)
}

func (m *mapMaker) node() *Node { return mapOf(m.at, m.keys, m.values) }
