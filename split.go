package dataknobs

// A splitter divides a simplified condition by what a driver can do. The
// results of filter are asked for again and again; drivers answer cheaply.
type splitter struct {
	filter func(*Cond) Support
}

func (s *splitter) support(c *Cond) Support {
	if s.filter == nil {
		return Support{Reason: "the store cannot filter"}
	}
	return s.filter(c)
}

// split returns what the driver does, which lets every record pass that
// belongs, and the parts to be checked here.
func (s *splitter) split(e Expr) (pushed Expr, rest []Expr) {
	parts, ok := e.(And)
	if !ok && e != nil {
		parts = And{e}
	}
	var push And
	for _, part := range parts {
		x, exact := s.push(part)
		if x != nil {
			push = append(push, x)
		}
		if !exact {
			rest = append(rest, part)
		}
	}
	return Simplify(push), rest
}

// push returns the condition that the driver can put in place of e: true of
// every record of which e is true. nil: there is none. exact: it is e itself.
func (s *splitter) push(e Expr) (pushed Expr, exact bool) {
	switch e := e.(type) {
	case *Cond:
		switch s.support(e).Fidelity {
		case Exact:
			return e, true
		case Rough:
			return e, false
		}
	case And:
		return s.pushAnd(e)
	case Or:
		return s.pushOr(e)
	}
	return nil, false
}

// pushAnd leaves out what the driver cannot do: that only lets more through.
func (s *splitter) pushAnd(parts And) (Expr, bool) {
	var out And
	all := true
	for _, part := range parts {
		x, exact := s.push(part)
		if x != nil {
			out = append(out, x)
		}
		all = all && exact
	}
	if len(out) == 0 {
		return nil, false
	}
	return Simplify(out), all
}

// pushOr needs something for every part: one left out would lose records.
func (s *splitter) pushOr(parts Or) (Expr, bool) {
	var out Or
	all := true
	for _, part := range parts {
		x, exact := s.push(part)
		if x == nil {
			return nil, false
		}
		out = append(out, x)
		all = all && exact
	}
	return out, all
}

// searchable returns an Unsupported error if e, which is not left to the driver
// alone, has a MATCH in it: nobody but the driver can say of which records that is true.
func (s *splitter) searchable(e Expr) error {
	var match, other *Cond // the first MATCH, what the driver cannot do
	Conds(e, func(c *Cond) bool {
		if c.Op.isMatch() && match == nil {
			match = c
		}
		if s.support(c).Fidelity != Exact && (other == nil || c.Op.isMatch() && !other.Op.isMatch()) {
			other = c
		}
		return true
	})
	switch {
	case match == nil:
		return nil
	case other == nil || other.Op.isMatch():
		return noFullText(match, s.support(match).Reason)
	}
	return Errorf(Unsupported, "the store cannot answer %s, which stands beside %s %s in an OR: %s", shorten(other.String()), match.Path, match.Op, s.reason(other)).
		WithHint("only the store can answer MATCH: ask two queries, or join the conditions with AND")
}

// reason says why e is not left to the driver alone.
func (s *splitter) reason(e Expr) string {
	var why string
	Conds(e, func(c *Cond) bool {
		sup := s.support(c)
		if sup.Fidelity == Exact {
			return true
		}
		why = sup.Reason
		if why == "" && sup.Fidelity == Rough {
			why = "the store's own answer lets others through"
		} else if why == "" {
			why = "the store cannot do " + c.Op.String() + " here"
		}
		return false
	})
	return why
}
