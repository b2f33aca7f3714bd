package dataknobs

// Check reports whether w may be made where old is: nil where there is no
// record. The conditions are looked at in the order of the contract: what is not
// there is NotFound or, where nothing may be, what is there AlreadyExists; another
// revision than the one asked for is a Conflict. It is for drivers that compare
// by themselves, and safe for concurrent use.
func (w *Write) Check(old *Record) error {
	mustExist := w.Op != WritePut || w.If == IfPresent || w.Revision != ""
	switch {
	case old == nil && mustExist:
		return NotFound
	case old != nil && w.If == IfAbsent:
		return AlreadyExists
	case w.Revision != "" && w.Revision != old.Revision:
		return Errorf(Conflict, "the record has revision %s, not %s", old.Revision, w.Revision)
	}
	return nil
}

// Next returns what w makes of old, or of nothing where old is nil: a record of
// its own without a new revision, or nil where w removes the record. The errors
// are those of Check and of [ApplyChanges]. It is safe for concurrent use.
func (w *Write) Next(old *Record) (*Record, error) {
	if err := w.Check(old); err != nil {
		return nil, err
	}
	switch w.Op {
	case WriteDelete:
		return nil, nil
	case WritePatch:
		return ApplyChanges(old, w.Changes)
	}
	rec := w.Record.Clone() // what was passed in is the caller's
	rec.ID = w.ID
	return rec, nil
}
