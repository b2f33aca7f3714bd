package sqlite

import (
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// addFunctions makes the functions that sqlgen's statements call known to a
// connection. No table, view or index uses them, so other programs can do without.
func addFunctions(c *lite.Conn) error {
	for _, f := range []struct {
		name string
		args int
		call func(*lite.Call)
	}{
		{"dk_ilike", 2, newPatterns(dataknobs.ILike).call},
		{"dk_matches", 2, newPatterns(dataknobs.Matches).call},
		{"dk_key", 1, callKey},
		{"dk_id", 1, callID},
	} {
		if err := c.Function(f.name, f.args, f.call); err != nil {
			return err
		}
	}
	return nil
}

// callKey is dk_key(json): the order-preserving key of a value in the JSON that
// keeps kinds.
func callKey(c *lite.Call) {
	if c.Kind(0) != lite.Text {
		return
	}
	if v, err := sqlgen.ParseValue(c.Raw(0)); err == nil {
		c.ReturnBlob(sqlgen.Key(v))
	}
}

// callID is dk_id(value): the text that the value of a key column gives to the ID.
func callID(c *lite.Call) {
	switch c.Kind(0) {
	case lite.Text:
		c.ReturnText(c.Str(0))
	case lite.Integer:
		c.ReturnText(strconv.FormatInt(c.Int(0), 10))
	case lite.Real:
		c.ReturnText(dataknobs.Float(c.Float(0)).String())
	}
}

// keptPatterns is how many patterns of a connection stay compiled.
const keptPatterns = 32

// patterns is dk_ilike(pattern, text) or dk_matches(pattern, text), of one
// connection.
type patterns struct {
	op   dataknobs.Op
	kept map[string]*dataknobs.Matcher
	text dataknobs.Value // what is being matched; lent
	get  func(int) dataknobs.Value
}

func newPatterns(op dataknobs.Op) *patterns {
	p := &patterns{op: op, kept: map[string]*dataknobs.Matcher{}}
	p.get = func(int) dataknobs.Value { return p.text }
	return p
}

func (p *patterns) call(c *lite.Call) {
	if c.Kind(0) != lite.Text || c.Kind(1) != lite.Text {
		return
	}
	m := p.kept[c.Str(0)]
	if m == nil {
		var err error
		if m, err = p.compile(strings.Clone(c.Str(0))); err != nil {
			c.Fail(err.Error())
			return
		}
	}
	p.text = dataknobs.String(c.Str(1))
	c.Bool(m.MatchFunc(p.get))
	p.text = dataknobs.Value{}
}

func (p *patterns) compile(pattern string) (*dataknobs.Matcher, error) {
	m, err := dataknobs.Compile(&dataknobs.Cond{Path: dataknobs.Names("text"), Op: p.op, Args: []dataknobs.Value{dataknobs.String(pattern)}})
	if err != nil {
		return nil, err
	}
	if len(p.kept) >= keptPatterns {
		clear(p.kept)
	}
	p.kept[pattern] = m
	return m, nil
}
