package dataknobs

import "slices"

// A Matcher is a compiled condition. It may be used by several goroutines at
// once.
type Matcher struct {
	root  node
	paths []Path
}

// Compile compiles e, which may hold Not, to the reference meaning of the
// query language: what a Matcher answers is what every store answers. A nil e
// is true of every record. A condition that cannot be right (a wrong number of
// constants, a null or non-finite constant, a pattern that is not a string or
// not well formed, an aggregate) is InvalidArgument.
//
// The operators that look inside a value (LIKE, ILIKE, STARTS WITH and MATCHES
// in a string, CONTAINS in an array) are unknown of a value of another kind,
// as < and its kin are between kinds: negated or not, they do not select it.
func Compile(e Expr) (*Matcher, error) {
	c := compiler{seen: make(map[string]int)}
	c.slot = c.pathSlot
	root, err := c.node(Simplify(e))
	if err != nil {
		return nil, err
	}
	return &Matcher{root: root, paths: c.paths}, nil
}

// Paths returns the distinct paths that the condition looks at; a slot of
// MatchFunc is an index into them. The caller does not change them.
func (m *Matcher) Paths() []Path { return m.paths }

// All reports whether the condition is true of every record without a look.
func (m *Matcher) All() bool { return m.root.kind == nodeAnd && len(m.root.kids) == 0 }

// Match reports whether r is selected.
func (m *Matcher) Match(r *Record) bool { return m.root.eval(r, nil) }

// MatchFunc reports whether the record is selected whose value at Paths()[slot]
// get returns. get is called for what it takes to decide, no more, possibly
// twice for one slot; the value is not kept. MatchFunc does not allocate, but
// for MATCHES, for ILIKE of long texts, and for IN among bytes, arrays or
// objects: make get once, not for each record.
func (m *Matcher) MatchFunc(get func(slot int) Value) bool { return m.root.eval(nil, get) }

// The kinds of nodes.
const (
	nodeAnd nodeKind = iota
	nodeOr
	nodeLeaf
)

type nodeKind uint8

// A node is one part of a compiled condition. After Simplify no Not is left,
// and AND and OR never turn unknown into true: Kleene's AND is true where all
// of its parts are true, his OR where one of them is. Which of the others are
// false and which unknown can therefore not change what is selected, and a
// node answers "true" or "not true", stopping as soon as it knows.
type node struct {
	kind nodeKind
	cost uint8
	slot int
	path Path
	test test
	kids []node
}

// A test says whether a condition is true of a value.
type test func(Value) bool

// eval takes the values from r or, where r is nil, from get.
func (n *node) eval(r *Record, get func(int) Value) bool {
	switch n.kind {
	case nodeLeaf:
		if r != nil {
			return n.test(r.Lookup(n.path))
		}
		return n.test(get(n.slot))
	case nodeAnd:
		for i := range n.kids {
			if !n.kids[i].eval(r, get) {
				return false
			}
		}
		return true
	}
	for i := range n.kids {
		if n.kids[i].eval(r, get) {
			return true
		}
	}
	return false
}

// A compiler turns a simplified expression into nodes.
type compiler struct {
	slot  func(*Cond) (int, error) // where the value of a condition comes from
	paths []Path
	seen  map[string]int // paths, by text
}

// pathSlot gives each distinct path a slot of its own.
func (c *compiler) pathSlot(cond *Cond) (int, error) {
	if cond.Agg != NoAgg {
		return 0, Errorf(InvalidArgument, "%s is an aggregate, which only HAVING can compare", cond.subject())
	}
	if err := checkPath(cond.Path); err != nil {
		return 0, err
	}
	text := cond.Path.String()
	i, ok := c.seen[text]
	if !ok {
		i = len(c.paths)
		c.seen[text] = i
		c.paths = append(c.paths, cond.Path)
	}
	return i, nil
}

// checkPath refuses what is not a path: an empty one, or one that starts at an index.
func checkPath(p Path) error {
	switch {
	case len(p) == 0:
		return Errorf(InvalidArgument, "a path is empty")
	case p[0].Name == "":
		return Errorf(InvalidArgument, "the path %s starts with an index; it must start with a field", p)
	}
	for _, s := range p {
		if s.Name == "" && s.Index < 0 {
			return Errorf(InvalidArgument, "the path %s has a negative index", p)
		}
	}
	return nil
}

func (c *compiler) node(e Expr) (node, error) {
	switch e := e.(type) {
	case nil:
		return node{}, nil
	case *Cond:
		return c.leaf(e)
	case And:
		return c.join(nodeAnd, e)
	case Or:
		return c.join(nodeOr, e)
	}
	return node{}, Errorf(Internal, "a %T in a simplified expression", e)
}

// join puts the cheap parts first: no part has an effect, so their order is free.
func (c *compiler) join(kind nodeKind, parts []Expr) (node, error) {
	n := node{kind: kind}
	for _, p := range parts {
		k, err := c.node(p)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, k)
		n.cost = max(n.cost, k.cost)
	}
	slices.SortStableFunc(n.kids, func(a, b node) int { return int(a.cost) - int(b.cost) })
	return n, nil
}

func (c *compiler) leaf(cond *Cond) (node, error) {
	if err := checkCond(cond); err != nil {
		return node{}, err
	}
	slot, err := c.slot(cond)
	if err != nil {
		return node{}, err
	}
	t, err := newTest(cond)
	if err != nil {
		return node{}, err
	}
	return node{kind: nodeLeaf, cost: opCost(cond.Op), slot: slot, path: cond.Path, test: t}, nil
}

func opCost(o Op) uint8 {
	switch o {
	case In, NotIn, StartsWith, NotStartsWith:
		return 1
	case Like, NotLike, Contains, NotContains:
		return 2
	case ILike, NotILike:
		return 3
	case Matches, NotMatches:
		return 4
	}
	return 0
}

// checkCond checks the operator's constants.
func checkCond(c *Cond) error {
	if c.Op < Eq || c.Op > lastOp {
		return Errorf(InvalidArgument, "the condition on %s has no operator", c.subject())
	}
	least, most := c.Op.arity()
	if n := len(c.Args); n < least || most >= 0 && n > most {
		return Errorf(InvalidArgument, "%s %s takes %d constants, not %d", c.subject(), c.Op, least, n)
	}
	for _, a := range c.Args {
		if err := c.checkArg(a); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cond) checkArg(a Value) error {
	switch {
	case a.IsNull():
		what := c.subject()
		return Errorf(InvalidArgument, "%s %s null is never true", what, c.Op).WithHint("write %s IS NULL or %s IS NOT NULL", what, what)
	case a.kind == KindFloat && !finite(a.Float()):
		return Errorf(InvalidArgument, "%s %s %v: only finite numbers can be compared", c.subject(), c.Op, a.Float())
	case a.kind != KindString && isPattern(c.Op):
		return Errorf(InvalidArgument, "%s %s takes a string, not the %s %s", c.subject(), c.Op, a.kind, a)
	}
	return nil
}

// subject returns what the condition is about, for messages.
func (c *Cond) subject() string { return Column{Path: c.Path, Agg: c.Agg}.Name() }

// CanCompile is the Features.Filter of a driver that leaves conditions to
// [Compile]: it calls all of them exact but MATCH, which only a store with an
// index of words can answer.
func CanCompile(c *Cond) Support {
	if c.Op.isMatch() {
		return Support{}
	}
	return Support{Fidelity: Exact}
}

// noFullText returns the error that the store cannot answer a MATCH.
func noFullText(c *Cond, why string) error {
	if why == "" {
		why = "it has no full-text search"
	}
	return Errorf(Unsupported, "the store cannot answer %s %s: %s", c.Path, c.Op, why).
		WithHint("use %s ILIKE '%%word%%' for each of the words, or MATCHES with a regular expression", c.Path)
}

// newTest returns the test of a condition whose constants have been checked.
func newTest(c *Cond) (test, error) {
	arg := Value{}
	if len(c.Args) > 0 {
		arg = c.Args[0]
	}
	switch c.Op {
	case Eq:
		return equalTest(arg), nil
	case Ne:
		return negate(equalTest(arg)), nil
	case Lt, Le, Gt, Ge:
		return orderTest(c.Op, arg), nil
	case In:
		return inTest(c.Args), nil
	case NotIn:
		return negate(inTest(c.Args)), nil
	case Between, NotBetween:
		return betweenTest(c.Op, c.Args[0], c.Args[1]), nil
	case StartsWith, NotStartsWith:
		return prefixTest(c.Op, arg.Str()), nil
	case Like, NotLike, ILike, NotILike:
		return likeTest(c.Op, arg.Str())
	case Matches, NotMatches:
		return matchesTest(c.Op, arg.Str())
	case Contains, NotContains:
		return containsTest(c.Op, arg), nil
	case IsNull:
		return Value.IsNull, nil
	case Match, NotMatch:
		return nil, noFullText(c, "")
	}
	return func(v Value) bool { return v.kind != KindNull }, nil
}
