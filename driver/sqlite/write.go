package sqlite

import (
	"cmp"
	"errors"
	"strconv"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A session writes to the table through one connection.
type session struct {
	reader
	enc     encoder
	args    lite.Args // of the statement under way
	unasked bool      // nobody looks at the results of writes that succeed
	skips   bool      // records that exist are left alone and only counted; with unasked

	// How many stretches still go row by row since an INSERT of many was of no
	// use, and how many were to the last time.
	wary, misses int
}

func newSession(t *table, at *place, c *lite.Conn) *session {
	return &session{reader: reader{t: t, at: at, c: c}, enc: encoder{t: t}}
}

// apply applies one write. An error that is the write's own is in its result:
// then the write has changed nothing. The other error is for all that is under way.
func (s *session) apply(w *dataknobs.Write) (res dataknobs.Result, fatal error) {
	res, err := s.write(w)
	if err == nil {
		return res, nil
	}
	switch codeOf(err).Primary() {
	case 0:
		if dataknobs.IsContext(err) || dataknobs.CodeOf(err) == dataknobs.DataLoss {
			return res, err
		}
	case lite.Constraint, lite.Mismatch, lite.TooBig:
		err = s.at.classify(err)
	default:
		return res, s.at.classify(err)
	}
	return dataknobs.Result{ID: w.ID, Err: err}, nil
}

func (s *session) write(w *dataknobs.Write) (dataknobs.Result, error) {
	if w.Revision != "" && s.t.Rev.Kind == sqlgen.RevNone {
		return dataknobs.Result{}, dataknobs.Errorf(dataknobs.Unsupported, "the table %s keeps no revisions", s.t.Name)
	}
	switch w.Op {
	case dataknobs.WritePatch:
		return s.patch(w)
	case dataknobs.WriteDelete:
		return s.remove(w)
	}
	return s.put(w)
}

func (s *session) put(w *dataknobs.Write) (dataknobs.Result, error) {
	rec := w.Record
	if err := s.enc.check(rec); err != nil {
		if rec = s.withoutComputed(rec); rec == nil {
			return dataknobs.Result{}, err
		}
	}
	if w.If == dataknobs.IfPresent || w.Revision != "" {
		return s.replace(w.ID, rec, w.Revision)
	}
	for {
		res, err := s.create(w.ID, rec)
		if err != nil || res.Created {
			return res, err
		}
		if w.If == dataknobs.IfAbsent {
			return res, dataknobs.AlreadyExists
		}
		res, err = s.replace(w.ID, rec, "")
		if !errors.Is(err, dataknobs.NotFound) { // else it was deleted by another process just now
			return res, err
		}
	}
}

// withoutComputed returns the record without the values of generated columns
// where they are those that the stored record has; nil if it cannot be stored.
func (s *session) withoutComputed(rec *dataknobs.Record) *dataknobs.Record {
	old, err := s.one(rec.ID)
	if err != nil || old == nil {
		return nil
	}
	c := rec.Clone()
	for i := range s.t.Columns {
		if col := &s.t.Columns[i]; col.Generated && old.Get(col.Name).Equal(rec.Get(col.Name)) {
			c.Fields.Delete(col.Name)
		}
	}
	if s.enc.check(c) != nil {
		return nil
	}
	return c
}

// create inserts a record; the result says if there was none.
func (s *session) create(id string, rec *dataknobs.Record) (dataknobs.Result, error) {
	takes, sql, err := s.t.insertFor(rec)
	if err != nil {
		return dataknobs.Result{}, err
	}
	rev := s.t.nextRevision()
	n, err := s.exec(sql, func(st *lite.Stmt) error {
		s.args.Reset()
		if err := s.enc.add(&s.args, rec, rev, takes); err != nil {
			return err
		}
		return st.BindArgs(&s.args)
	})
	if err != nil || n == 0 {
		return dataknobs.Result{ID: id}, err
	}
	if id == "" {
		id = strconv.FormatInt(s.c.LastRowID(), 10)
	}
	return s.written(dataknobs.Result{ID: id, Created: true}, rev)
}

// replace updates a record.
func (s *session) replace(id string, rec *dataknobs.Record, revision string) (dataknobs.Result, error) {
	key, ok := s.t.keyOf(rec, id)
	if !ok {
		return dataknobs.Result{}, dataknobs.NotFound
	}
	sql, cond, err := s.condition(id, revision, s.t.update, s.t.updateIf)
	if err != nil {
		return dataknobs.Result{}, err
	}
	rev := s.t.nextRevision()
	n, err := s.exec(sql, func(st *lite.Stmt) error {
		s.args.Reset()
		if err := s.enc.add(&s.args, rec, rev, notKey); err != nil {
			return err
		}
		if err := st.BindArgs(&s.args); err != nil {
			return err
		}
		return bindMore(st, s.args.Len()+1, key, cond)
	})
	if err != nil {
		return dataknobs.Result{}, err
	}
	if n == 0 {
		return dataknobs.Result{}, s.whyNot(key, revision)
	}
	return s.written(dataknobs.Result{ID: id}, rev)
}

func bindMore(st *lite.Stmt, i int, lists ...[]any) error {
	for _, args := range lists {
		for _, x := range args {
			if err := st.Bind(i, x); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

// condition returns the statement that asks for the revision, with its
// parameter. A revision that is a hash is compared here.
func (s *session) condition(id, revision, plain, conditional string) (sql string, args []any, err error) {
	switch {
	case revision == "":
		return plain, nil, nil
	case s.t.Rev.Kind == sqlgen.RevHash:
		old, err := s.one(id)
		if err == nil && old == nil {
			err = dataknobs.NotFound
		}
		if err == nil && old.Revision != revision {
			err = conflict(old.Revision, revision)
		}
		return plain, nil, err
	case s.t.Rev.Kind == sqlgen.RevDocument:
		n, err := strconv.ParseInt(revision, 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != revision {
			n = 0 // which no record has
		}
		return conditional, []any{n}, nil
	}
	return conditional, []any{revision}, nil
}

func conflict(has, asked string) error {
	return dataknobs.Errorf(dataknobs.Conflict, "the record has revision %s, not %s", has, asked)
}

// whyNot says why a write by ID changed no row.
func (s *session) whyNot(key []any, revision string) error {
	if revision == "" || s.t.revision == "" {
		return dataknobs.NotFound
	}
	err := error(dataknobs.NotFound)
	e := rows(s.c, s.t.revision, key, func(st *lite.Stmt) error {
		err = conflict(st.Str(0), revision)
		return nil
	})
	if e != nil {
		return e
	}
	return err
}

func (s *session) remove(w *dataknobs.Write) (dataknobs.Result, error) {
	var old *dataknobs.Record
	if !s.t.plainKey() { // more than one value may have that text
		var err error
		if old, err = s.one(w.ID); err != nil || old == nil {
			return dataknobs.Result{}, cmp.Or(err, error(dataknobs.NotFound))
		}
	}
	key, ok := s.t.keyOf(old, w.ID)
	if !ok {
		return dataknobs.Result{}, dataknobs.NotFound
	}
	sql, cond, err := s.condition(w.ID, w.Revision, s.t.delete, s.t.deleteIf)
	if err != nil {
		return dataknobs.Result{}, err
	}
	n, err := s.exec(sql, func(st *lite.Stmt) error { return bindMore(st, 1, key, cond) })
	if err != nil {
		return dataknobs.Result{}, err
	}
	if n == 0 {
		return dataknobs.Result{}, s.whyNot(key, w.Revision)
	}
	return dataknobs.Result{ID: w.ID}, nil
}

// patch changes a record. The session must be in a transaction.
func (s *session) patch(w *dataknobs.Write) (dataknobs.Result, error) {
	old, err := s.one(w.ID)
	if err != nil {
		return dataknobs.Result{}, err
	}
	rec, err := w.Next(old)
	if err != nil {
		return dataknobs.Result{}, err
	}
	for i := range s.t.Columns {
		if c := &s.t.Columns[i]; c.Generated && rec.Get(c.Name).Identical(old.Get(c.Name)) {
			rec.Fields.Delete(c.Name)
		}
	}
	if err := s.enc.check(rec); err != nil {
		return dataknobs.Result{}, err
	}
	return s.replace(w.ID, rec, "")
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(sql string, bind func(*lite.Stmt) error) (int64, error) {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer st.Release()
	if err := bind(st); err != nil {
		return 0, err
	}
	if _, err := st.Step(); err != nil {
		return 0, err
	}
	return s.c.Changes(), nil
}

// written completes the result of a put with the record's revision.
func (s *session) written(res dataknobs.Result, rev any) (dataknobs.Result, error) {
	switch {
	case s.unasked:
		return res, nil
	case rev != nil:
		res.Revision = strconv.FormatInt(rev.(int64), 10)
		return res, nil
	case s.t.Rev.Kind != sqlgen.RevHash:
		return res, nil
	}
	got, err := s.one(res.ID)
	if err == nil && got != nil {
		res.Revision = got.Revision
	}
	return res, err
}
