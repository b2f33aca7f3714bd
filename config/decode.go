package config

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"dataknobs.dev/dataknobs"
)

// Decode fills in what into points to. Structs are filled in strictly: a key
// that is no field is an error that names the nearest one. A field has the name
// of its tag option or, without one, its own in lower case with _ between the
// words; option:"-" leaves it out. The further tags are those of
// [dataknobs.OptionsOf]: default, enum, min, max, required.
//
//	type Mailer struct {
//		Host    string        `option:"host" required:"true"`
//		Port    int           `option:"port" default:"25"`
//		Timeout time.Duration `option:"timeout" default:"10s"`
//		Login   struct {
//			User     string
//			Password dataknobs.Secret
//		}
//	}
//
// Besides structs there may be texts, numbers, truth values, time.Duration,
// [dataknobs.Size], [dataknobs.Secret], what has an UnmarshalText, slices, maps by text,
// pointers, *[Node], and any. The error is InvalidArgument and holds all [Faults].
func (n *Node) Decode(into any) error { return decode(n, "", into) }

func decode(n *Node, path string, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic("config: Decode takes a pointer to what is to be filled in")
	}
	d := &decoder{}
	d.value(path, n, v.Elem(), &dataknobs.OptionInfo{Name: "it"})
	return d.faults.err()
}

type decoder struct{ faults Faults }

var (
	nodeType = reflect.TypeFor[*Node]()
	plainly  = map[reflect.Type]dataknobs.OptionKind{
		reflect.TypeFor[time.Duration]():    dataknobs.OptionDuration,
		reflect.TypeFor[dataknobs.Size]():   dataknobs.OptionSize,
		reflect.TypeFor[[]string]():         dataknobs.OptionList,
		reflect.TypeFor[[]dataknobs.Pair](): dataknobs.OptionMap,
		reflect.TypeFor[dataknobs.Secret](): dataknobs.OptionString,
	}
	basics = map[reflect.Kind]dataknobs.OptionKind{
		reflect.String: dataknobs.OptionString, reflect.Bool: dataknobs.OptionBool,
		reflect.Int: dataknobs.OptionInt, reflect.Int8: dataknobs.OptionInt, reflect.Int16: dataknobs.OptionInt,
		reflect.Int32: dataknobs.OptionInt, reflect.Int64: dataknobs.OptionInt,
		reflect.Uint: dataknobs.OptionInt, reflect.Uint8: dataknobs.OptionInt, reflect.Uint16: dataknobs.OptionInt,
		reflect.Uint32: dataknobs.OptionInt, reflect.Uint64: dataknobs.OptionInt,
		reflect.Float32: dataknobs.OptionFloat, reflect.Float64: dataknobs.OptionFloat,
	}
)

// value decodes n into v; o says what the tags say about it.
func (d *decoder) value(path string, n *Node, v reflect.Value, o *dataknobs.OptionInfo) {
	t := v.Type()
	if n.kind == Null {
		return
	}
	if t == nodeType {
		v.Set(reflect.ValueOf(n))
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.unmarshal(path, n, u)
		return
	}
	kind, ok := plainly[t]
	if !ok {
		kind, ok = basics[t.Kind()]
	}
	if ok {
		o.Kind, o.Secret = kind, o.Secret || t == reflect.TypeFor[dataknobs.Secret]()
		if len(o.Enum) > 0 {
			o.Kind = dataknobs.OptionEnum
		}
		d.plain(path, n, v, o)
		return
	}
	d.composite(path, n, v)
}

func (d *decoder) composite(path string, n *Node, v reflect.Value) {
	t := v.Type()
	switch t.Kind() {
	case reflect.Pointer:
		p := reflect.New(t.Elem())
		d.value(path, n, p.Elem(), &dataknobs.OptionInfo{Name: "it"})
		v.Set(p)
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		d.slice(path, n, v)
	case reflect.Map:
		d.mapping(path, n, v)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			v.Set(reflect.ValueOf(n.Value()))
			return
		}
		fallthrough
	default:
		panic("config: Decode cannot fill in a " + t.String())
	}
}

func (d *decoder) unmarshal(path string, n *Node, u encoding.TextUnmarshaler) {
	if !n.isScalar() {
		d.faults.addf(n.place, path, "a text is wanted, not %v", n.kind)
		return
	}
	if err := u.UnmarshalText([]byte(n.text)); err != nil {
		if n.secret {
			d.faults.addf(n.place, path, "the text is not of its type")
			return
		}
		d.faults.addf(n.place, path, "%w", err)
	}
}

// plain decodes what an option can be.
func (d *decoder) plain(path string, n *Node, v reflect.Value, o *dataknobs.OptionInfo) {
	text, ok, err := optionText("section", o, n)
	if err != nil {
		d.faults.add(&Fault{Place: n.place, Setting: path, Err: err})
		return
	}
	if !ok {
		return
	}
	b := &dataknobs.Backend{Options: []dataknobs.OptionInfo{*o}}
	c, err := dataknobs.NewConfig(b, "", map[string]string{o.Name: text}, nil)
	if err != nil {
		d.faults.add(&Fault{Place: n.place, Setting: path, Err: err})
		return
	}
	if !assign(c, o.Name, v) {
		d.faults.addf(n.place, path, "the number is too large or too small for a setting of the type %s", v.Type())
	}
}

func assign(c *dataknobs.Config, name string, v reflect.Value) bool {
	switch into := v.Addr().Interface().(type) {
	case *time.Duration:
		*into = c.Duration(name)
	case *dataknobs.Size:
		*into = dataknobs.Size(c.Size(name))
	case *[]string:
		*into = c.List(name)
	case *[]dataknobs.Pair:
		*into = c.Map(name)
	default:
		return assignBasic(c, name, v)
	}
	return true
}

func assignBasic(c *dataknobs.Config, name string, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(c.String(name))
	case reflect.Bool:
		v.SetBool(c.Bool(name))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(c.Float(name))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.OverflowInt(c.Int(name)) {
			return false
		}
		v.SetInt(c.Int(name))
	default:
		i := c.Int(name)
		if i < 0 || v.OverflowUint(uint64(i)) {
			return false
		}
		v.SetUint(uint64(i))
	}
	return true
}

func (d *decoder) slice(path string, n *Node, v reflect.Value) {
	if n.kind != List {
		d.faults.addf(n.place, path, "a list is wanted, not %v", n.kind)
		return
	}
	s := reflect.MakeSlice(v.Type(), n.Len(), n.Len())
	for i, item := range n.items {
		d.value(under(path, strconv.Itoa(i)), item, s.Index(i), &dataknobs.OptionInfo{Name: "it"})
	}
	v.Set(s)
}

func (d *decoder) mapping(path string, n *Node, v reflect.Value) {
	if n.kind != Map || v.Type().Key().Kind() != reflect.String {
		d.faults.addf(n.place, path, "a map is wanted, not %v", n.kind)
		return
	}
	m := reflect.MakeMap(v.Type())
	for k, item := range n.Keys() {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(under(path, k), item, e, &dataknobs.OptionInfo{Name: k})
		m.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), e)
	}
	v.Set(m)
}

// A target is a field and what its tags say.
type target struct {
	v reflect.Value
	o dataknobs.OptionInfo
}

func (d *decoder) structure(path string, n *Node, v reflect.Value) {
	if n.kind != Map {
		d.faults.addf(n.place, path, "a map of settings is wanted, not %v", n.kind)
		return
	}
	var names []string
	fields := map[string]*target{}
	for _, f := range targets(v) {
		names = append(names, f.o.Name)
		fields[f.o.Name] = f
	}
	for k, item := range n.Keys() {
		if fields[k] == nil {
			d.faults.add(fault(item.place, under(path, k), "there is no such setting").hinted(didYouMean(k, names)))
		}
	}
	for _, name := range names {
		f := fields[name]
		item := n.Get(name)
		switch {
		case item != nil && item.kind != Null:
		case f.o.Required:
			d.faults.addf(n.place, under(path, name), "the setting is missing")
			continue
		case f.o.Default != "":
			item = scalar(Text, f.o.Default, n.place)
		case f.v.Kind() == reflect.Struct:
			item = mapOf(n.place, nil, nil) // for the defaults inside
			if _, ok := f.v.Addr().Interface().(encoding.TextUnmarshaler); ok {
				continue
			}
		default:
			continue
		}
		d.value(under(path, name), item, f.v, &f.o)
	}
}

// targets lists the fields of a struct, those of embedded structs among them.
func targets(v reflect.Value) []*target {
	var all []*target
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag := f.Tag.Get
		if f.Anonymous && f.Type.Kind() == reflect.Struct && tag("option") == "" {
			all = append(all, targets(v.Field(i))...)
			continue
		}
		if !f.IsExported() || tag("option") == "-" {
			continue
		}
		o := dataknobs.OptionInfo{
			Name: tag("option"), Default: tag("default"), Enum: strings.Fields(tag("enum")),
			Min: tag("min"), Max: tag("max"), Required: tag("required") == "true",
		}
		if o.Name == "" {
			o.Name = snake(f.Name)
		}
		all = append(all, &target{v.Field(i), o})
	}
	return all
}

// snake is a field's name as a setting's: MaxConns is max_conns.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Value returns the node as Go has it: nil, string, bool, int64 or float64,
// []any, map[string]any. A number that is neither stays a string.
func (n *Node) Value() any {
	switch n.kind {
	case Null:
		return nil
	case Number:
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(n.text, 64); err == nil {
			return f
		}
	case Bool:
		return truth(n.text)
	case List:
		all := make([]any, len(n.items))
		for i, item := range n.items {
			all[i] = item.Value()
		}
		return all
	case Map:
		all := make(map[string]any, len(n.items))
		for k, item := range n.Keys() {
			all[k] = item.Value()
		}
		return all
	}
	return n.text
}
