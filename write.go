package dataknobs

import (
	"bufio"
	"context"
	"crypto/rand"
	"strconv"
	"sync"

	"github.com/google/uuid"
)

// prepare checks a write and completes it: the ID, the fields that make the
// ID. Nothing that it returns without an error is refused by the contract.
func (db *DB) prepare(ctx context.Context, w Write) (Write, error) {
	switch w.Op {
	case WritePut:
		return db.preparePut(ctx, w)
	case WritePatch, WriteDelete:
		return w, db.checkChange(&w)
	}
	return w, Errorf(InvalidArgument, "a write has no operation")
}

// checkChange checks a patch or a delete.
func (db *DB) checkChange(w *Write) error {
	if db.f().RowIDs != "" {
		return Errorf(Unsupported, "single records cannot be changed: %s", db.f().RowIDs)
	}
	if err := CheckID(w.ID); err != nil {
		return err
	}
	if w.If == IfAbsent {
		return Errorf(InvalidArgument, "only a new record can be conditional on there being none")
	}
	if w.Op == WriteDelete {
		return nil
	}
	return db.checkChanges(w.Changes)
}

// checkChanges checks what a patch is to change.
func (db *DB) checkChanges(changes []Change) error {
	for _, c := range changes {
		if err := db.checkTarget(c.Path); err != nil {
			return err
		}
		probe := Record{Fields: Fields{{Name: "value", Value: c.Value}}}
		if _, err := checkSized(&probe, db.maxRecord()); err != nil {
			return Errorf(CodeOf(err), "the new value of %s: %w", c.Path, err)
		}
	}
	return nil
}

// checkTarget checks that a patch may change what is at p.
func (db *DB) checkTarget(p Path) error {
	switch {
	case len(p) == 0 || p[0].Name == "":
		return Errorf(InvalidArgument, "a change has no path to a field")
	case p.IsMetadata() && !db.f().Metadata:
		return errNoMetadata
	case p.IsID():
		return Errorf(InvalidArgument, "a record's ID cannot be changed").WithHint("create a new record and delete this one")
	}
	for _, k := range db.f().Key {
		if p[0].Name == k {
			return Errorf(InvalidArgument, "%s makes the record's ID, so it cannot be changed", p).
				WithHint("create a new record and delete this one")
		}
	}
	for i, s := range p {
		if i == 0 && p.IsMetadata() || s.Name == "" {
			continue
		}
		if err := CheckName(s.Name); err != nil {
			return err
		}
	}
	return nil
}

var errNoMetadata = Errorf(Unsupported, "the store keeps no metadata")

func (db *DB) preparePut(ctx context.Context, w Write) (Write, error) {
	rec := w.Record
	if rec == nil {
		return w, Errorf(InvalidArgument, "the record is nil")
	}
	if w.ID == "" {
		w.ID = rec.ID
	} else if rec.ID != "" && rec.ID != w.ID {
		return w, Errorf(InvalidArgument, "the write is of record %q, the record says %q", w.ID, rec.ID)
	}
	if err := db.checkPut(&w); err != nil {
		return w, err
	}
	if err := db.identify(ctx, &w); err != nil {
		return w, err
	}
	if w.Record.ID != w.ID {
		c := *w.Record
		c.ID = w.ID
		w.Record = &c
	}
	return w, nil
}

// checkPut checks everything about a put but what the ID has to be.
func (db *DB) checkPut(w *Write) error {
	create := w.If == IfAbsent
	if w.ID != "" {
		if err := CheckID(w.ID); err != nil {
			return err
		}
	}
	switch {
	case db.f().RowIDs != "" && (w.ID != "" || !create):
		return Errorf(Unsupported, "a record cannot be stored under an ID here: %s", db.f().RowIDs)
	case create && w.Revision != "":
		return Errorf(InvalidArgument, "a new record has no revision that could be asked for")
	case len(w.Record.Metadata) > 0 && !db.f().Metadata:
		return errNoMetadata
	}
	_, err := checkSized(w.Record, db.maxRecord())
	return err
}

func (db *DB) maxRecord() int {
	if db.f().MaxRecord > 0 {
		return min(db.f().MaxRecord, MaxRecordBytes)
	}
	return MaxRecordBytes
}

// checkers remember the names of the last record that each of them checked.
var checkers = sync.Pool{New: func() any { return new(checker) }}

// checkSized is Record.Check with a store's own bound, without the ID. It
// returns about how many bytes the record takes encoded.
func checkSized(r *Record, most int) (int, error) {
	c := checkers.Get().(*checker)
	defer checkers.Put(c)
	if err := c.record(r); err != nil {
		return 0, err
	}
	if c.size > most {
		return 0, Errorf(ResourceExhausted, "the record has about %d bytes; the limit is %d", c.size, most)
	}
	return c.size, nil
}

// identify completes the ID of a put, and the fields that make it.
func (db *DB) identify(ctx context.Context, w *Write) error {
	switch {
	case db.f().RowIDs != "":
		return nil
	case len(db.f().Key) > 0:
		return db.identifyByKey(ctx, w)
	case w.ID != "":
		return nil
	case w.If != IfAbsent:
		return Errorf(InvalidArgument, "the record has no ID")
	case db.f().AssignsIDs:
		return nil
	}
	var err error
	w.ID, err = newID()
	return err
}

// randoms are buffered sources of random bytes: asking the system for sixteen
// at a time costs more than all else about a new record.
var randoms = sync.Pool{New: func() any { return bufio.NewReaderSize(rand.Reader, 1024) }}

func newID() (string, error) {
	r := randoms.Get().(*bufio.Reader)
	defer randoms.Put(r)
	u, err := uuid.NewV7FromReader(r)
	if err != nil {
		return "", Errorf(Internal, "cannot make an ID: %w", err)
	}
	return u.String(), nil
}

// identifyByKey makes the ID and the key fields agree.
func (db *DB) identifyByKey(ctx context.Context, w *Write) error {
	keys := make([]Value, len(db.f().Key))
	present := false
	for i, name := range db.f().Key {
		keys[i] = w.Record.Fields.Value(name)
		present = present || !keys[i].IsNull()
	}
	if !present && len(keys) == 1 {
		return db.fillKey(ctx, w)
	}
	for i, name := range db.f().Key {
		if keys[i].IsNull() {
			return Errorf(InvalidArgument, "the record has no value for %s, which is part of the store's key", Names(name))
		}
	}
	id, err := KeyText(keys)
	switch {
	case err != nil:
		return Errorf(InvalidArgument, "the store's key %s: %w", db.keyNames(), err)
	case w.ID != "" && w.ID != id:
		return Errorf(InvalidArgument, "the record's ID is %q, but its key %s makes it %q", w.ID, db.keyNames(), id)
	}
	w.ID = id
	return CheckID(id)
}

func (db *DB) keyNames() string {
	text := ""
	for i, name := range db.f().Key {
		if i > 0 {
			text += ", "
		}
		text += Names(name).String()
	}
	return text
}

// fillKey gives a record that lacks its single key field that field, from its
// ID. A new record without either gets a UUIDv7 in both, where the field can
// hold one.
func (db *DB) fillKey(ctx context.Context, w *Write) error {
	name := db.f().Key[0]
	kinds, err := db.kinds(ctx, Names(name))
	if err != nil {
		return err
	}
	text := kinds == 0 || kinds.Has(KindString) || kinds.Only(KindNull)
	if w.ID == "" {
		if w.If == IfAbsent && !text && db.f().AssignsIDs {
			return nil // the store numbers its records by itself
		}
		if w.If != IfAbsent || !text {
			return Errorf(InvalidArgument, "the record has neither an ID nor a value for %s, which is the store's key", Names(name))
		}
		if w.ID, err = newID(); err != nil {
			return err
		}
	}
	v, ok := keyValue(w.ID, kinds, text)
	if !ok {
		return Errorf(InvalidArgument, "the ID %q is no %s, which the store's key %s is", w.ID, kinds, Names(name))
	}
	c := w.Record.Clone()
	c.Fields.Delete(name) // an explicit null
	c.Fields = append(Fields{{name, v}}, c.Fields...)
	w.Record = c
	return nil
}

// keyValue returns the value of one of those kinds whose key text is id.
func keyValue(id string, kinds KindSet, text bool) (Value, bool) {
	var candidates []Value
	if i, err := strconv.ParseInt(id, 10, 64); err == nil && kinds.Has(KindInt) {
		candidates = append(candidates, Int(i))
	}
	if f, err := strconv.ParseFloat(id, 64); err == nil && kinds.Has(KindFloat) {
		candidates = append(candidates, Float(f))
	}
	if t, ok := ParseTime(id); ok && kinds.Has(KindTime) {
		candidates = append(candidates, t)
	}
	if kinds.Has(KindBool) && (id == "true" || id == "false") {
		candidates = append(candidates, Bool(id == "true"))
	}
	if text {
		candidates = append(candidates, String(id))
	}
	for _, v := range candidates {
		if got, err := KeyText([]Value{v}); err == nil && got == id {
			return v, true
		}
	}
	return Value{}, false
}

// kinds returns the kinds at a path; 0 if the store does not know.
func (db *DB) kinds(ctx context.Context, p Path) (KindSet, error) {
	if db.tx != nil && db.tx.loading.Load() {
		db = db.tx.base // the transaction's connection is busy
	}
	t, ok := Ability[Typed](db.d)
	if !ok {
		return 0, nil
	}
	sets, err := call(ctx, db, func() ([]KindSet, error) { return t.Kinds(ctx, []Path{p}) })
	if err != nil || len(sets) != 1 {
		return 0, err
	}
	return sets[0], nil
}
