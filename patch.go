package dataknobs

import "slices"

// ApplyChanges returns a copy of rec with the changes made in their order; rec
// stays as it is, and so does its revision in the copy.
//
// Setting a nested path makes the objects on the way where there is none, or
// null. An array element can be replaced, or added just after the last one;
// removing one closes the gap. A step into a scalar, into an array by name, into
// an object by index, or past an array's end is InvalidArgument; removing what
// is not there does nothing. Paths may lead into _meta, and _meta itself may be
// removed or set to an object; _id and _rev are refused. The result is checked
// as by [Record.Check].
func ApplyChanges(rec *Record, changes []Change) (*Record, error) {
	out := rec.Clone()
	for _, c := range changes {
		if err := out.change(c); err != nil {
			return nil, err
		}
	}
	if err := out.Check(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Record) change(c Change) error {
	if err := checkPath(c.Path); err != nil {
		return err
	}
	if !c.Path.IsMetadata() {
		if c.Path.IsSystem() {
			return Errorf(InvalidArgument, "%s cannot be changed", c.Path)
		}
		v, err := c.apply(AdoptObject(r.Fields), 0)
		r.Fields = fieldsOf(v)
		return err
	}
	if len(c.Path) == 1 && !c.Remove && c.Value.kind != KindObject {
		return Errorf(InvalidArgument, "_meta can only be set to an object, not to the %s %s", c.Value.kind, c.Value)
	}
	v, err := c.apply(AdoptObject(r.Metadata), 1)
	r.Metadata = fieldsOf(v)
	return err
}

// fieldsOf returns an object's fields as a slice that append must copy; none are nil.
func fieldsOf(v Value) Fields {
	if v.kind != KindObject || v.num == 0 {
		return nil
	}
	return slices.Clip(v.rawObject())
}

// apply returns v with the change made at the path's steps from i on. The
// zero Value stands for what is not there.
func (c *Change) apply(v Value, i int) (Value, error) {
	if i == len(c.Path) {
		if c.Remove {
			return Value{}, nil
		}
		return c.Value, nil
	}
	if c.Path[i].Name != "" {
		return c.applyField(v, i)
	}
	return c.applyIndex(v, i)
}

func (c *Change) applyField(v Value, i int) (Value, error) {
	name, last := c.Path[i].Name, i == len(c.Path)-1
	if v.kind != KindObject && v.kind != KindNull {
		return c.blocked(v, i, "field")
	}
	var f Fields
	if v.kind == KindObject {
		f = v.rawObject()
	}
	at := f.index(name)
	if at < 0 {
		if c.Remove {
			return v, nil
		}
		x, err := c.apply(Value{}, i+1)
		return AdoptObject(append(slices.Clip(f), Field{name, x})), err
	}
	f = slices.Clone(f)
	if c.Remove && last {
		return AdoptObject(slices.Delete(f, at, at+1)), nil
	}
	x, err := c.apply(f[at].Value, i+1)
	f[at].Value = x
	return AdoptObject(f), err
}

func (c *Change) applyIndex(v Value, i int) (Value, error) {
	index, last := c.Path[i].Index, i == len(c.Path)-1
	if v.kind != KindArray && v.kind != KindNull {
		return c.blocked(v, i, "element")
	}
	var vs []Value
	if v.kind == KindArray {
		vs = v.rawArray()
	}
	switch {
	case index >= len(vs) && c.Remove:
		return v, nil
	case index > len(vs):
		return v, Errorf(InvalidArgument, "%s has %d elements, so %s cannot be set", c.Path[:i], len(vs), c.Path[:i+1]).
			WithHint("the next free element is %s", c.Path[:i].At(len(vs)))
	case index == len(vs):
		x, err := c.apply(Value{}, i+1)
		return AdoptArray(append(slices.Clip(vs), x)), err
	}
	vs = slices.Clone(vs)
	if c.Remove && last {
		return AdoptArray(slices.Delete(vs, index, index+1)), nil
	}
	x, err := c.apply(vs[index], i+1)
	vs[index] = x
	return AdoptArray(vs), err
}

// blocked is what a step into a value of the wrong kind comes to.
func (c *Change) blocked(v Value, i int, what string) (Value, error) {
	if c.Remove {
		return v, nil
	}
	return v, Errorf(InvalidArgument, "%s cannot be set: %s is the %s %.40s, which has no %ss", c.Path, c.Path[:i], v.kind, v, what)
}
