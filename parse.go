package dataknobs

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of query texts.
const (
	// MaxQueryBytes is the longest query text.
	MaxQueryBytes = 1 << 20
	// MaxNesting is how deep conditions may nest.
	MaxNesting = 1000
)

// Parse reads a query text; docs/query.md describes the language. The
// empty text asks for every record. args are the values of the text's
// parameters: [Named] ones for :name, the others in order for ?. A slice given
// where IN wants a list is that list.
//
// The error is InvalidArgument and shows the place in the text. The query has
// been checked (see [Query.Check]).
func Parse(text string, args ...any) (*Query, error) {
	q, err := parse(text, args, (*parser).query)
	if err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	return q, nil
}

// MustParse is Parse for texts that are part of a program; it panics on an error.
func MustParse(text string, args ...any) *Query {
	q, err := Parse(text, args...)
	if err != nil {
		panic("dataknobs: " + err.Error())
	}
	return q
}

// ParseExpr reads a condition alone, such as "age > 30 AND city = ?". The
// empty text is nil, which is true of every record. See [Parse].
func ParseExpr(text string, args ...any) (Expr, error) {
	return parse(text, args, func(p *parser) (Expr, error) {
		if p.tok.kind == tokEnd {
			return nil, nil
		}
		return p.condition()
	})
}

// ParsePath reads a path, such as "address.city" or "tags[0]".
func ParsePath(text string) (Path, error) { return parse(text, nil, (*parser).path) }

// ParseValue reads a constant, such as 'text', 12, time '2026-01-02' or [1, 2].
func ParseValue(text string) (Value, error) {
	return parse(text, nil, func(p *parser) (Value, error) { return p.checked(p.value) })
}

// ParseChanges reads what a patch sets: "name = 'Ann', address.city = null".
// See [Parse] for args.
func ParseChanges(text string, args ...any) ([]Change, error) {
	return parse(text, args, func(p *parser) ([]Change, error) { return several(p, p.change) })
}

// parseHaving reads a condition on groups.
func parseHaving(text string, args []any) (Expr, error) {
	return parse(text, args, func(p *parser) (Expr, error) {
		p.groups = true
		return p.condition()
	})
}

// parseColumn reads one item of SELECT.
func parseColumn(text string) (Column, error) { return parse(text, nil, (*parser).column) }

// parseOrder reads one item of ORDER BY.
func parseOrder(text string) (Order, error) { return parse(text, nil, (*parser).order) }

// parse runs read over the whole text.
func parse[T any](text string, args []any, read func(*parser) (T, error)) (T, error) {
	var none T
	p, err := newParser(text, args)
	if err != nil {
		return none, err
	}
	x, err := read(p)
	if err != nil {
		return none, err
	}
	if err := p.finish(); err != nil {
		return none, err
	}
	return x, nil
}

// A parser reads one text by recursive descent. Its depth is bounded by
// MaxNesting and MaxDepth, whatever the text.
type parser struct {
	lex    lexer
	tok    token  // the next token
	after  *token // the one after it, if it has been looked at
	args   binder
	depth  int      // of the condition, in parentheses and NOTs
	values int      // depth of the constant, in arrays and objects
	stage  int      // how many of clauses have been passed; more than there are: this is no query
	more   []string // what else could stand here, for messages
	groups bool     // aggregates may be compared
	bare   token    // where a condition without WHERE starts
}

func newParser(text string, args []any) (*parser, error) {
	if len(text) > MaxQueryBytes {
		return nil, Errorf(InvalidArgument, "the query text has %d bytes; the limit is %d", len(text), MaxQueryBytes).
			WithHint("pass long lists as parameters: x IN ?")
	}
	if !utf8.ValidString(text) {
		return nil, Errorf(InvalidArgument, "the query text is not valid UTF-8").
			WithHint("pass bytes as a parameter or as bytes '…' in base64")
	}
	b, err := newBinder(args)
	if err != nil {
		return nil, err
	}
	p := &parser{lex: lexer{text: text}, args: b, stage: len(clauses) + 1}
	p.tok = p.lex.next()
	return p, nil
}

// advance moves to the next token and returns the one passed.
func (p *parser) advance() token {
	t := p.tok
	if p.after != nil {
		p.tok, p.after = *p.after, nil
	} else {
		p.tok = p.lex.next()
	}
	return t
}

// peek returns the token after the next.
func (p *parser) peek() token {
	if p.after == nil {
		t := p.lex.next()
		p.after = &t
	}
	return *p.after
}

// word passes the keyword if it is next. Of a keyword of two words the second
// must follow, else it is not passed.
func (p *parser) word(w string) bool {
	first, second, two := strings.Cut(w, " ")
	if !p.tok.isWord(first) || two && !p.peek().isWord(second) {
		return false
	}
	p.advance()
	if two {
		p.advance()
	}
	return true
}

// sign passes the sign if it is next.
func (p *parser) sign(s string) bool {
	if !p.tok.is(s) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(sign string) error {
	if !p.sign(sign) {
		return p.unexpected(`"` + sign + `"`)
	}
	return nil
}

// enter goes one level deeper; the caller leaves by p.depth--.
func (p *parser) enter() error {
	if p.depth++; p.depth > MaxNesting {
		return p.errorAt(p.tok, "the query nests deeper than %d levels", MaxNesting)
	}
	return nil
}

// several reads items separated by commas.
func several[T any](p *parser, item func() (T, error)) ([]T, error) {
	var out []T
	for {
		x, err := item()
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !p.sign(",") {
			return out, nil
		}
	}
}

// clauses are the clauses of a query in their order. WHERE may be left out.
var clauses = []string{"SELECT", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET"}

// clauseOf returns which clause t starts; -1: none.
func clauseOf(t token) int {
	return slices.IndexFunc(clauses, func(c string) bool {
		first, _, _ := strings.Cut(c, " ")
		return t.isWord(first)
	})
}

func (p *parser) query() (*Query, error) {
	q := &Query{}
	p.stage = 0
	for i, read := range []func(*Query) error{
		p.selectClause, p.whereClause, p.groupByClause, p.havingClause, p.orderByClause, p.limitClause, p.offsetClause,
	} {
		switch {
		case p.word(clauses[i]):
		case clauseOf(p.tok) == i: // GROUP or ORDER alone
			p.advance()
			return nil, p.unexpected("BY", "BY")
		case clauses[i] == "WHERE" && p.tok.kind != tokEnd && clauseOf(p.tok) < 0: // a bare condition
			p.bare = p.tok
		default:
			continue
		}
		if err := read(q); err != nil {
			return nil, err
		}
		p.stage = i + 1
	}
	return q, nil
}

// finish returns an error unless the whole text has been read.
func (p *parser) finish() error {
	if p.tok.kind == tokEnd {
		return p.args.finish()
	}
	if i := clauseOf(p.tok); i >= 0 && i < p.stage && p.stage <= len(clauses) {
		if i == p.stage-1 {
			return p.errorAt(p.tok, "%s is there twice", clauses[i])
		}
		return p.errorAt(p.tok, "%s comes before %s", clauses[i], clauses[p.stage-1])
	}
	words := append([]string{}, p.more...)
	words = append(words, clauses[min(p.stage, len(clauses)):]...)
	return p.unexpected(list(append(words, "the end")), words...)
}
