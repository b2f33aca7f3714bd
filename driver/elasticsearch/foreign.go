package elasticsearch

import (
	"encoding/base64"
	"math"
	"strings"

	"dataknobs.dev/dataknobs"
)

// An index that others made is read as it is. Its mapping says what the values
// of a field are. Every field of an index may hold many values, and conditions
// on the index are about any of them, so they only ever narrow a scan: the
// engine checks each record that comes.

const whyForeign = "the index was not made by this program: its conditions are about any element of an array"

// foreignFeatures is what the driver can do with an index of others.
func (d *Driver) foreignFeatures(m *mapping) *dataknobs.Features {
	return &dataknobs.Features{
		Filter: func(c *dataknobs.Cond) dataknobs.Support {
			if isMatch(c.Op) {
				return m.supportMatch(c)
			}
			if q := m.foreignQuery(c); q == nil {
				return not("the index cannot narrow the search by it")
			}
			return rough(whyForeign)
		},
		Project:  true,
		ReadOnly: "the index " + m.index + " was not made by this program",
	}
}

// foreignProperty returns what the mapping says of a path, and the field's name.
func (m *mapping) foreignProperty(p dataknobs.Path) (property, string, bool) {
	var names []string
	props := m.types
	var at property
	for _, s := range p {
		if s.Name == "" {
			break
		}
		var ok bool
		if at, ok = props[s.Name]; !ok || strings.Contains(s.Name, ".") {
			return property{}, "", false
		}
		names, props = append(names, s.Name), at.Properties
	}
	if len(names) == 0 || at.Type == "nested" {
		return property{}, "", false
	}
	return at, strings.Join(names, "."), true
}

// foreignQuery returns a query that selects at least the records of which c is
// true; nil where the index cannot say.
func (m *mapping) foreignQuery(c *dataknobs.Cond) obj {
	if c.Path.IsID() {
		return foreignID(c)
	}
	if c.Path.IsSystem() {
		return nil
	}
	p, field, ok := m.foreignProperty(c.Path)
	if !ok || p.Index != nil && !*p.Index || p.NullValue != nil {
		return nil
	}
	if p.Type == "text" {
		sub, ok := p.Fields["keyword"]
		if !ok || sub.Type != "keyword" {
			return nil
		}
		p, field = sub, field+".keyword"
	}
	switch p.Type {
	case "keyword":
		return p.foreignKeyword(field, c)
	case "long", "integer", "short", "byte", "double", "float", "half_float":
		return foreignNumber(p.Type, field, c)
	}
	return nil
}

func foreignID(c *dataknobs.Cond) obj {
	if c.Op != dataknobs.Eq && c.Op != dataknobs.In {
		return nil
	}
	ids := []string{}
	for _, a := range c.Args {
		if a.Kind() == dataknobs.KindString {
			ids = append(ids, a.Str())
		}
	}
	return obj{"ids": obj{"values": ids}}
}

// foreignKeyword is for keywords. Texts longer than ignore_above are not in the
// index, so only equality with shorter ones can be asked for.
func (p *property) foreignKeyword(field string, c *dataknobs.Cond) obj {
	if p.Normalizer != "" || c.Op != dataknobs.Eq && c.Op != dataknobs.In && c.Op != dataknobs.Contains {
		return nil
	}
	texts := []string{}
	for _, a := range c.Args {
		if a.Kind() != dataknobs.KindString || p.IgnoreAbove > 0 && a.Len() > p.IgnoreAbove || a.Len() > 8000 {
			return nil
		}
		texts = append(texts, a.Str())
	}
	if len(texts) == 0 || len(texts) > maxTerms {
		return nil
	}
	return obj{"terms": obj{field: texts}}
}

// foreignNumber is for numbers. What the index holds is rounded to the field's
// type, so the bounds are taken a little wider.
func foreignNumber(kind, field string, c *dataknobs.Cond) obj {
	var low, high *float64
	for _, a := range c.Args {
		if !a.IsNumber() {
			return nil
		}
	}
	wide := func(v dataknobs.Value, up bool) *float64 {
		f := v.Float()
		slack := math.Abs(f) * 1e-15
		switch kind {
		case "float":
			slack = math.Abs(f) * 1e-6
		case "half_float":
			slack = math.Abs(f)*1e-2 + 1e-3
		case "double":
		default:
			slack++
		}
		if up {
			f += slack
		} else {
			f -= slack
		}
		return &f
	}
	switch c.Op {
	case dataknobs.Eq, dataknobs.Contains:
		low, high = wide(c.Args[0], false), wide(c.Args[0], true)
	case dataknobs.Lt, dataknobs.Le:
		high = wide(c.Args[0], true)
	case dataknobs.Gt, dataknobs.Ge:
		low = wide(c.Args[0], false)
	case dataknobs.Between:
		low, high = wide(c.Args[0], false), wide(c.Args[1], true)
	default:
		return nil
	}
	bounds := obj{}
	for name, f := range map[string]*float64{"gte": low, "lte": high} {
		switch {
		case f == nil:
		case math.Abs(*f) > math.MaxFloat32/2 || kind != "double" && kind != "float" && math.Abs(*f) >= 1<<53 || kind == "half_float" && math.Abs(*f) > 60_000:
			return nil
		default:
			bounds[name] = *f
		}
	}
	return obj{"range": obj{field: bounds}}
}

// foreignKinds are the kinds that the mapping lets values at p be of.
func (m *mapping) foreignKinds(p dataknobs.Path) dataknobs.KindSet {
	at, _, ok := m.foreignProperty(p)
	if !ok {
		return 0
	}
	null := dataknobs.KindsOf(dataknobs.KindNull)
	switch at.Type {
	case "date", "date_nanos":
		return null.With(dataknobs.KindTime)
	case "boolean":
		return null.With(dataknobs.KindBool)
	case "text", "keyword":
		return null.With(dataknobs.KindString)
	}
	return 0
}

// interpret gives the values of a document the kinds that the mapping says:
// dates are times, binaries are bytes. fields are fresh.
func (m *mapping) interpret(fields dataknobs.Fields) {
	for i := range fields {
		if p, ok := m.types[fields[i].Name]; ok {
			fields[i].Value = p.interpret(fields[i].Value)
		}
	}
}

func (p *property) interpret(v dataknobs.Value) dataknobs.Value {
	switch {
	case v.Kind() == dataknobs.KindArray:
		var vs []dataknobs.Value
		for e := range v.Elems() {
			vs = append(vs, p.interpret(e))
		}
		return dataknobs.AdoptArray(vs)
	case v.Kind() == dataknobs.KindObject && len(p.Properties) > 0:
		fields := v.Fields()
		(&mapping{types: p.Properties}).interpret(fields)
		return dataknobs.AdoptObject(fields)
	case p.Type == "date" || p.Type == "date_nanos":
		return p.interpretDate(v)
	case p.Type == "binary" && v.Kind() == dataknobs.KindString:
		if b, err := base64.StdEncoding.DecodeString(v.Str()); err == nil {
			return dataknobs.AdoptBytes(b)
		}
	case p.Type == "double" || p.Type == "float" || p.Type == "half_float":
		if v.Kind() == dataknobs.KindInt {
			return dataknobs.Float(v.Float())
		}
	}
	return v
}

// interpretDate reads the usual formats; a date in another one stays as it is.
func (p *property) interpretDate(v dataknobs.Value) dataknobs.Value {
	switch v.Kind() {
	case dataknobs.KindString:
		if t, ok := dataknobs.ParseTime(v.Str()); ok {
			return t
		}
	case dataknobs.KindInt:
		switch {
		case p.Format == "" || strings.Contains(p.Format, "epoch_millis"):
			if ms := v.Int(); ms > -62135596800_000 && ms < 253402300800_000 {
				return dataknobs.TimeMicros(ms * 1000)
			}
		case strings.Contains(p.Format, "epoch_second"):
			if s := v.Int(); s > -62135596800 && s < 253402300800 {
				return dataknobs.TimeMicros(s * 1e6)
			}
		}
	}
	return v
}
