package dataknobs

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// A NamedArg is the value of the parameter :Name.
type NamedArg struct {
	Name  string
	Value any
}

// Named returns the value of the parameter :name, for [Parse] and its like.
func Named(name string, value any) NamedArg { return NamedArg{name, value} }

// A binder hands out the values of parameters.
type binder struct {
	args  []any
	next  int
	named []NamedArg
	used  []bool // of named
}

func newBinder(args []any) (binder, error) {
	var b binder
	for _, a := range args {
		n, ok := a.(NamedArg)
		if !ok {
			b.args = append(b.args, a)
			continue
		}
		if b.index(n.Name) >= 0 {
			return b, Errorf(InvalidArgument, "the parameter :%s is given twice", n.Name)
		}
		b.named = append(b.named, n)
	}
	b.used = make([]bool, len(b.named))
	return b, nil
}

func (b *binder) index(name string) int {
	for i, n := range b.named {
		if n.Name == name {
			return i
		}
	}
	return -1
}

func (b *binder) names() []string {
	var names []string
	for _, n := range b.named {
		names = append(names, n.Name)
	}
	return names
}

// finish returns an error if a value was not asked for.
func (b *binder) finish() error {
	if b.next < len(b.args) {
		return Errorf(InvalidArgument, "%d values are given for parameters, but the text has %d ?", len(b.args), b.next)
	}
	for i, used := range b.used {
		if !used {
			return Errorf(InvalidArgument, "a value is given for the parameter :%s, but the text has no :%s",
				b.named[i].Name, b.named[i].Name)
		}
	}
	return nil
}

// atParameter reports whether a parameter is next.
func (p *parser) atParameter() bool {
	if p.tok.is("?") {
		return true
	}
	return p.tok.is(":") && p.peek().kind == tokWord && p.peek().pos == p.tok.end
}

// bound passes a parameter and returns its value as Go.
func (p *parser) bound() (any, error) {
	t := p.advance()
	b := &p.args
	if t.text == "?" {
		if b.next >= len(b.args) {
			return nil, p.errorAt(t, "there is no value for this parameter: %d given", len(b.args))
		}
		b.next++
		return b.args[b.next-1], nil
	}
	name := p.advance()
	i := b.index(name.text)
	if i < 0 {
		t.end = name.end
		e := p.errorAt(t, "there is no value for the parameter :%s", shorten(name.text))
		if near := nearest.Of(name.text, b.names()); near != "" {
			e = e.WithHint("did you mean :%s?", near)
		}
		return nil, e
	}
	b.used[i] = true
	return b.named[i].Value, nil
}

// parameter passes a parameter and converts its value by convert.
func (p *parser) parameter(convert func(any) (Value, error)) (Value, error) {
	start := p.tok
	x, err := p.bound()
	if err != nil {
		return Value{}, err
	}
	v, err := convert(x)
	if err != nil {
		return Value{}, p.errorAt(start, "the value of this parameter: %s", err)
	}
	return v, nil
}

// listArg converts a Go value where a list is wanted: a nil slice is the empty one.
func listArg(x any) (Value, error) {
	if rv := reflect.ValueOf(x); rv.Kind() == reflect.Slice && rv.IsNil() && rv.Type().Elem().Kind() != reflect.Uint8 {
		return Array(), nil
	}
	return ValueOf(x)
}

// startsValue reports whether a constant is next.
func (p *parser) startsValue() bool {
	switch t := p.tok; t.kind {
	case tokText, tokNum:
		return true
	case tokWord:
		return t.isWord("NULL") || t.isWord("TRUE") || t.isWord("FALSE") || p.startsTyped()
	default:
		return t.is("[") || t.is("{") || p.atParameter()
	}
}

// startsTyped reports whether time '…' or bytes '…' is next.
func (p *parser) startsTyped() bool {
	return (p.tok.isWord("TIME") || p.tok.isWord("BYTES")) && p.peek().kind == tokText
}

// constant reads a constant that op compares with, which begins at start.
func (p *parser) constant(start token, op string) (Value, error) {
	v, err := p.value()
	if err != nil {
		return v, err
	}
	return v, p.checkConstant(start, v, op)
}

// checked reads a constant by read and checks it.
func (p *parser) checked(read func() (Value, error)) (Value, error) {
	start := p.tok
	v, err := read()
	if err == nil && !v.IsNull() {
		err = p.checkConstant(start, v, "")
	}
	return v, err
}

// checkConstant returns an error unless v may be compared with.
func (p *parser) checkConstant(start token, v Value, op string) error {
	if v.IsNull() {
		e := p.errorAt(start, "%s null is never true, because null is not a value", op)
		if op == "!=" || strings.HasPrefix(op, "NOT ") {
			return e.WithHint("did you mean IS NOT NULL?")
		}
		return e.WithHint("did you mean IS NULL?")
	}
	if why := badConstant(v); why != "" {
		return p.errorAt(start, "%s", why)
	}
	return nil
}

// value reads a constant, null included.
func (p *parser) value() (Value, error) {
	switch t := p.tok; {
	case t.kind == tokText:
		p.advance()
		return String(t.text), nil
	case t.kind == tokNum:
		return p.number()
	case p.atParameter():
		return p.parameter(ValueOf)
	case p.startsTyped():
		return p.typed()
	case p.word("NULL"):
		return Null(), nil
	case p.word("TRUE"):
		return Bool(true), nil
	case p.word("FALSE"):
		return Bool(false), nil
	case t.is("["):
		return p.array()
	case t.is("{"):
		return p.object()
	}
	return Value{}, p.noValue()
}

func (p *parser) number() (Value, error) {
	v, err := numberOf(p.tok.text)
	if err != nil {
		e := p.errorAt(p.tok, "%s", strings.Replace(err.Error(), p.tok.text, shorten(p.tok.text), 1))
		if !strings.ContainsAny(p.tok.text, ".eE") {
			return v, e.WithHint("text goes in quotes; a float has a point: 1.0e20")
		}
		return v, e
	}
	p.advance()
	return v, nil
}

// noValue returns the error that a value is missing.
func (p *parser) noValue() error {
	e := p.unexpected("a value")
	switch t := p.tok; {
	case t.kind == tokName, t.kind == tokWord && !isReserved(t.text):
		return e.WithHint("text goes in quotes, such as %s; two fields cannot be compared", shorten(String(t.text).String()))
	case t.isWord("TIME"), t.isWord("BYTES"):
		return e.WithHint("the text of it follows in quotes: %s '…'", strings.ToLower(t.text))
	}
	return e
}

// typed reads time '…' or bytes '…'.
func (p *parser) typed() (Value, error) {
	isTime := p.advance().isWord("TIME")
	t := p.advance()
	if isTime {
		v, ok := ParseTime(t.text)
		if !ok {
			return v, p.errorAt(t, "this is not a time").WithHint("a time is written 2026-01-02T03:04:05Z, or 2026-01-02 for its midnight in UTC")
		}
		return v, nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(t.text)
	if err != nil || strings.ContainsAny(t.text, "\r\n") {
		return Value{}, p.errorAt(t, "these are not bytes").WithHint("bytes are written in base64, with padding: bytes 'aGk='")
	}
	return AdoptBytes(b), nil
}

// array reads […].
func (p *parser) array() (Value, error) {
	vs := []Value{}
	err := p.items("]", func() error {
		v, err := p.value()
		vs = append(vs, v)
		return err
	})
	return AdoptArray(vs), err
}

// object reads {'name': value, …}.
func (p *parser) object() (Value, error) {
	f := Fields{}
	err := p.items("}", func() error {
		name := p.tok
		if name.kind != tokText && name.kind != tokWord && name.kind != tokName {
			return p.unexpected("a field name in quotes")
		}
		p.advance()
		if err := p.expect(":"); err != nil {
			return err
		}
		v, err := p.value()
		f = append(f, Field{name.text, v})
		return err
	})
	return AdoptObject(f), err
}

// items reads an opening sign, items with commas between them, and the closing sign.
func (p *parser) items(closing string, item func() error) error {
	if p.values++; p.values > MaxDepth {
		return p.errorAt(p.tok, "the value nests deeper than %d levels", MaxDepth)
	}
	defer func() { p.values-- }()
	p.advance()
	for first := true; !p.sign(closing); first = false {
		if !first && !p.sign(",") {
			return p.unexpected(`"," or "` + closing + `"`)
		}
		if err := item(); err != nil {
			return err
		}
	}
	return nil
}

func parseIndex(text string) (int, error) {
	i, err := strconv.ParseUint(text, 10, 31)
	return int(i), err
}
