package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"dataknobs.dev/dataknobs"
)

// parseJSON reads one JSON value: object members keep their order, a name that
// stands twice in an object is an error, and so is an integer that int64 cannot hold.
func parseJSON(text []byte) (dataknobs.Value, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := nextValue(dec)
	if err == nil {
		if _, end := dec.Token(); end != io.EOF {
			err = fmt.Errorf("something follows the value")
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return v, err
}

func nextValue(dec *json.Decoder) (dataknobs.Value, error) {
	tok, err := dec.Token()
	if err != nil {
		return dataknobs.Value{}, err
	}
	switch tok {
	case json.Delim('['):
		return nextArray(dec)
	case json.Delim('{'):
		return nextObject(dec)
	}
	return dataknobs.ValueOf(tok)
}

func nextArray(dec *json.Decoder) (dataknobs.Value, error) {
	vs := []dataknobs.Value{}
	for dec.More() {
		v, err := nextValue(dec)
		if err != nil {
			return v, err
		}
		vs = append(vs, v)
	}
	_, err := dec.Token()
	return dataknobs.AdoptArray(vs), err
}

func nextObject(dec *json.Decoder) (dataknobs.Value, error) {
	f := dataknobs.Fields{}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return dataknobs.Value{}, err
		}
		name := tok.(string) // the decoder lets nothing else be a name
		if seen[name] {
			return dataknobs.Value{}, dataknobs.Errorf(dataknobs.InvalidArgument, "the name %q stands twice in one object", name)
		}
		seen[name] = true
		v, err := nextValue(dec)
		if err != nil {
			return v, err
		}
		f = append(f, dataknobs.Field{Name: name, Value: v})
	}
	_, err := dec.Token()
	return dataknobs.AdoptObject(f), err
}

// parseTagged is parseJSON for values that JSON cannot show: what
// dataknobs.Value.AppendTaggedJSON writes.
func parseTagged(text []byte) (dataknobs.Value, error) {
	v, err := parseJSON(text)
	if err != nil {
		return v, err
	}
	return untag(v)
}

func untag(v dataknobs.Value) (dataknobs.Value, error) {
	switch v.Kind() {
	case dataknobs.KindArray:
		vs := make([]dataknobs.Value, 0, v.Len())
		for e := range v.Elems() {
			u, err := untag(e)
			if err != nil {
				return u, err
			}
			vs = append(vs, u)
		}
		return dataknobs.AdoptArray(vs), nil
	case dataknobs.KindObject:
		return untagObject(v.Fields())
	}
	return v, nil
}

func untagObject(f dataknobs.Fields) (dataknobs.Value, error) {
	if len(f) == 1 && strings.HasPrefix(f[0].Name, "$") {
		name, text := f[0].Name, f[0].Value.Str()
		switch {
		case strings.HasPrefix(name, "$$"):
			f[0].Name = name[1:]
		case name == "$time":
			if t, ok := dataknobs.ParseTime(text); ok {
				return t, nil
			}
			return dataknobs.Value{}, dataknobs.Errorf(dataknobs.InvalidArgument, "%q is not an RFC 3339 time", text)
		case name == "$bytes":
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return dataknobs.Value{}, dataknobs.Errorf(dataknobs.InvalidArgument, "%q is not base64", text)
			}
			return dataknobs.AdoptBytes(b), nil
		}
	}
	for i := range f {
		var err error
		if f[i].Value, err = untag(f[i].Value); err != nil {
			return dataknobs.Value{}, err
		}
	}
	return dataknobs.AdoptObject(f), nil
}
