package dataknobs

import (
	"regexp/syntax"
	"strings"
)

// condition reads a condition; OR binds loosest.
func (p *parser) condition() (Expr, error) {
	e, err := p.chain("OR", p.conjunction, func(es []Expr) Expr { return Or(es) })
	p.more = []string{"AND", "OR"}
	return e, err
}

func (p *parser) conjunction() (Expr, error) {
	return p.chain("AND", p.negation, func(es []Expr) Expr { return And(es) })
}

// chain reads parts with the word between them; one part alone is itself.
func (p *parser) chain(word string, part func() (Expr, error), join func([]Expr) Expr) (Expr, error) {
	first, err := part()
	if err != nil || !p.tok.isWord(word) {
		return first, err
	}
	es := []Expr{first}
	for p.word(word) {
		e, err := part()
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	return join(es), nil
}

func (p *parser) negation() (Expr, error) {
	if !p.word("NOT") {
		return p.primary()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	e, err := p.negation()
	if err != nil {
		return nil, err
	}
	return Not{e}, nil
}

// primary reads a condition in parentheses, TRUE, FALSE or a comparison.
func (p *parser) primary() (Expr, error) {
	switch {
	case p.tok.is("("):
		return p.parenthesised()
	case p.tok.isWord("TRUE") && !isComparison(p.peek()):
		p.advance()
		return And{}, nil
	case p.tok.isWord("FALSE") && !isComparison(p.peek()):
		p.advance()
		return Or{}, nil
	case p.startsValue():
		return p.flipped()
	}
	return p.comparison()
}

func (p *parser) parenthesised() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	p.advance()
	e, err := p.condition()
	if err != nil {
		return nil, err
	}
	if !p.sign(")") {
		return nil, p.unexpected(`AND, OR or ")"`, "AND", "OR")
	}
	return e, nil
}

// signOps are the operators that are signs, with their other spellings.
var signOps = map[string]Op{"=": Eq, "==": Eq, "!=": Ne, "<>": Ne, "<": Lt, "<=": Le, ">": Gt, ">=": Ge}

func isComparison(t token) bool { return t.kind == tokPunct && signOps[t.text] != 0 }

// flipped reads a comparison with the constant on the left.
func (p *parser) flipped() (Expr, error) {
	start := p.tok
	v, err := p.constant(start, "=")
	if err != nil {
		return nil, err
	}
	if !isComparison(p.tok) {
		e := p.unexpected("a comparison (=, !=, <, <=, > or >=) after the value")
		if e.Hint == "" {
			e.Hint = "other operators take the field on their left: tags CONTAINS 'x'"
		}
		return nil, e
	}
	op := signOps[p.advance().text]
	if p.startsValue() {
		return nil, p.errorAt(p.tok, "expected a field, but found a second value")
	}
	c := &Cond{Op: flip(op), Args: []Value{v}}
	c.Path, c.Agg, err = p.term()
	return c, err
}

// flip returns the operator for the sides exchanged.
func flip(op Op) Op {
	switch op {
	case Lt:
		return Gt
	case Gt:
		return Lt
	case Le:
		return Ge
	case Ge:
		return Le
	}
	return op
}

// comparison reads a path or aggregate, an operator and its constants.
func (p *parser) comparison() (Expr, error) {
	start := p.tok
	c := &Cond{}
	var err error
	if c.Path, c.Agg, err = p.term(); err != nil {
		return nil, err
	}
	if c.Op, err = p.operator(start, c); err != nil {
		return nil, err
	}
	switch c.Op {
	case IsNull, IsNotNull:
	case In, NotIn:
		c.Args, err = p.list()
	case Between, NotBetween:
		c.Args, err = p.bounds()
	default:
		c.Args, err = p.operand(c.Op)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// wordOps are the operators that are words and have a negation with NOT.
var wordOps = []Op{In, Between, Like, ILike, StartsWith, Matches, Contains, Match}

// operator reads the operator of c, which began at start.
func (p *parser) operator(start token, c *Cond) (Op, error) {
	if isComparison(p.tok) {
		return signOps[p.advance().text], nil
	}
	if p.word("IS") {
		return p.isOperator()
	}
	not := p.word("NOT")
	for _, op := range wordOps {
		switch {
		case !p.word(op.String()):
		case not:
			return op.Negate(), nil
		default:
			return op, nil
		}
	}
	return 0, p.noOperator(start, c, not)
}

// isOperator reads the rest of IS [NOT] NULL.
func (p *parser) isOperator() (Op, error) {
	op := IsNull
	if p.word("NOT") {
		op = IsNotNull
	}
	if !p.word("NULL") {
		e := p.unexpected("NULL", "NULL")
		if p.tok.isWord("TRUE") || p.tok.isWord("FALSE") {
			e.Hint = "compare with = instead: = " + strings.ToLower(p.tok.text)
		}
		return 0, e
	}
	return op, nil
}

// noOperator returns the error that no operator follows.
func (p *parser) noOperator(start token, c *Cond, not bool) error {
	words := []string{"IS NULL", "IS NOT NULL", "NOT"}
	for _, op := range wordOps {
		words = append(words, op.String())
	}
	what := "after " + shorten(strings.TrimSpace(p.lex.text[start.pos:p.tok.pos]))
	if not {
		e := p.unexpected("IN, BETWEEN, LIKE or another operator after NOT", words...)
		if p.tok.isWord("NULL") {
			e.Hint = "did you mean IS NOT NULL?"
		}
		return e
	}
	e := p.unexpected("an operator (=, <, IN, LIKE, IS NULL, …) "+what, words...)
	if p.tok.kind == tokBad || e.Hint != "" {
		return e
	}
	if meant := p.meant(start, clauses); meant != "" && len(c.Path) == 1 {
		e = p.errorAt(start, "expected a condition, but found the name %s", start.text)
		return e.WithHint("did you mean %s?", meant)
	}
	switch ends := p.tok.kind == tokEnd || p.tok.is(")") || p.tok.isWord("AND") || p.tok.isWord("OR") || clauseOf(p.tok) >= 0; {
	case p.stage == 1 && start == p.bare && (ends || p.tok.is(",")): // after SELECT
		e.Hint = "an output name takes AS: SELECT total AS t"
	case ends:
		e.Hint = "a bool is compared too: active = true"
	case p.tok.is("("):
		e.Hint = "a list takes IN: city IN ('Rome', 'Oslo')"
	}
	return e
}

// operand reads the one constant of most operators.
func (p *parser) operand(op Op) ([]Value, error) {
	start := p.tok
	v, err := p.constant(start, op.String())
	if err != nil {
		return nil, err
	}
	if isPattern(op) && v.kind != KindString {
		return nil, p.errorAt(start, "%s takes text, not the %s %s", op, v.kind, shorten(v.String()))
	}
	if why := badPattern(op, v.Str()); why != "" {
		return nil, p.errorAt(start, "%s", why)
	}
	return []Value{v}, nil
}

// bounds reads the rest of BETWEEN a AND b.
func (p *parser) bounds() ([]Value, error) {
	low, err := p.constant(p.tok, "BETWEEN")
	if err != nil {
		return nil, err
	}
	if !p.word("AND") {
		return nil, p.unexpected("AND and the upper bound of BETWEEN", "AND")
	}
	high, err := p.constant(p.tok, "BETWEEN")
	return []Value{low, high}, err
}

// list reads the list of IN: (…), […] or a parameter that holds a list.
func (p *parser) list() ([]Value, error) {
	closing := ")"
	switch {
	case p.atParameter():
		return p.parameterList()
	case p.tok.is("["):
		closing = "]"
	case !p.tok.is("("):
		return nil, p.unexpected("a list, such as (1, 2), after IN")
	}
	p.advance()
	args := []Value{}
	if p.sign(closing) {
		return args, nil
	}
	for {
		more, err := p.listItem()
		if err != nil {
			return nil, err
		}
		args = append(args, more...)
		if p.sign(closing) {
			return args, nil
		}
		if !p.sign(",") {
			return nil, p.unexpected(`"," or "` + closing + `"`)
		}
	}
}

// listItem reads one item of a list; a parameter that holds a list is all of its items.
func (p *parser) listItem() ([]Value, error) {
	start := p.tok
	if !p.atParameter() {
		v, err := p.constant(start, "IN")
		return []Value{v}, err
	}
	v, err := p.parameter(listArg)
	if err != nil {
		return nil, err
	}
	vs := []Value{v}
	if v.kind == KindArray {
		vs = v.rawArray()
	}
	for _, e := range vs {
		if err := p.checkConstant(start, e, "IN"); err != nil {
			return nil, err
		}
	}
	return vs, nil
}

// parameterList reads IN ?, where the parameter is the list.
func (p *parser) parameterList() ([]Value, error) {
	start := p.tok
	v, err := p.parameter(listArg)
	if err != nil {
		return nil, err
	}
	if v.kind != KindArray {
		return nil, p.errorAt(start, "IN takes a list, but the value of this parameter is the %s %s", v.kind, shorten(v.String()))
	}
	for e := range v.Elems() {
		if err := p.checkConstant(start, e, "IN"); err != nil {
			return nil, err
		}
	}
	return v.rawArray(), nil
}

// isPattern reports whether op takes text.
func isPattern(op Op) bool { return op >= Like && op <= NotMatches || op.isMatch() }

// badPattern says what is wrong with a pattern; "" if nothing is.
func badPattern(op Op, s string) string {
	switch op {
	case Like, NotLike, ILike, NotILike:
		if n := len(s) - len(strings.TrimRight(s, `\`)); n%2 == 1 {
			return "the pattern ends in a backslash that escapes nothing"
		}
	case Match, NotMatch:
		if strings.TrimSpace(s) == "" {
			return "MATCH takes the words to look for, but this text has none"
		}
	case Matches, NotMatches:
		if _, err := syntax.Parse(s, syntax.Perl); err != nil {
			return "the regular expression is not one (RE2 syntax): " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		}
	}
	return ""
}
