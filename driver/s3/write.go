package s3

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// quarantine is how long a tombstone belongs to the writer that made it. Only
// that writer deletes it, and only in the first half of that time; nobody
// writes over it before its end. So no delete meets a record that was created
// in the meantime, on servers too whose deletes know no conditions.
const quarantine = 10 * time.Second

// maxTries bounds how often a write is decided anew because others were faster.
const maxTries = 1000

// write applies one write. tomb, if not nil, takes the tombstone of a removal,
// to be deleted with others.
func (d *Driver) write(ctx context.Context, w *dataknobs.Write, tomb func(grave)) (dataknobs.Result, error) {
	key, err := d.key(w.ID)
	if err != nil {
		return dataknobs.Result{}, err
	}
	can, err := d.abilities(ctx)
	if err != nil {
		return dataknobs.Result{}, err
	}
	o := &order{d: d, w: w, key: key, can: can, tomb: tomb}
	if !can.put && !d.o.UnsafeConditions && conditional(w) {
		return dataknobs.Result{}, dataknobs.Errorf(dataknobs.Unsupported, "the server knows no conditional writes").
			WithHint("unsafe_conditions=true checks by reading first, and may lose one of two racing writes")
	}
	watched, unclear := watching(ctx)
	res, err := o.apply(watched)
	if err == errForeign {
		d.warnForeign(key)
		err = o.foreign()
	}
	if err != nil && unclear.Load() {
		err = unknown(key, err)
	}
	return res, err
}

// An order is one write on its way.
type order struct {
	d    *Driver
	w    *dataknobs.Write
	key  string
	can  abilities
	tomb func(grave)
}

// A grave is a tombstone that is to be deleted before a moment.
type grave struct {
	key, etag string
	before    time.Time
}

// conditional reports whether a write must not be made but on what it was
// decided on.
func conditional(w *dataknobs.Write) bool {
	return w.Revision != "" || w.Op == dataknobs.WritePatch || w.Op == dataknobs.WritePut && w.If != dataknobs.Always
}

func (o *order) apply(ctx context.Context) (dataknobs.Result, error) {
	switch o.w.Op {
	case dataknobs.WritePut:
		return o.put(ctx)
	case dataknobs.WritePatch:
		return o.patch(ctx)
	}
	return o.remove(ctx)
}

// foreign is what a write comes to in whose place somebody else's object
// stands: there is no record, and none can be put there.
func (o *order) foreign() error {
	w := o.w
	if w.Op != dataknobs.WritePut || w.If == dataknobs.IfPresent || w.Revision != "" {
		return dataknobs.NotFound
	}
	return dataknobs.Errorf(dataknobs.PermissionDenied, "the object %s/%s is no record of this store: it is left as it is", o.d.bucket, o.key).
		WithHint("choose another ID, or move the object away")
}

// store uploads e under a condition that the server, or a read, checks.
func (o *order) store(ctx context.Context, e *encoded, c condition) (string, error) {
	if !o.can.put {
		return o.d.putIfRead(ctx, o.key, e, c)
	}
	return o.d.put(ctx, o.key, e, c)
}

// done is the result of a write that made e.
func (o *order) done(e *encoded, etag string, created bool) (dataknobs.Result, error) {
	o.d.index.wrote(o.w.ID, etag, e.size)
	return dataknobs.Result{ID: o.w.ID, Revision: etag, Created: created}, nil
}

// put makes the record what the write says.
func (o *order) put(ctx context.Context) (dataknobs.Result, error) {
	e := encode(o.w.Record, o.d.o.Tags)
	if o.w.Revision != "" {
		return o.replaceRevision(ctx, e)
	}
	s, known := o.guess()
	if o.w.If == dataknobs.IfAbsent {
		s, known = nil, true // most often it is so
	}
	created := false
	for try := range maxTries {
		if !known {
			var err error
			if s, err = o.look(ctx); err != nil {
				return dataknobs.Result{}, err
			}
		}
		switch {
		case s != nil && s.mark.nonce == e.nonce: // the answer was lost
			return o.done(e, s.etag, created)
		case s != nil && !s.dead() && o.w.If == dataknobs.IfAbsent:
			return dataknobs.Result{}, dataknobs.AlreadyExists
		case (s == nil || s.dead()) && o.w.If == dataknobs.IfPresent:
			return dataknobs.Result{}, dataknobs.NotFound
		}
		c := condition{absent: true}
		if s != nil {
			c = condition{etag: s.etag}
		}
		if s == nil || !o.held(s) {
			created = s == nil || s.dead()
			etag, err := o.store(ctx, e, c)
			if err == nil {
				return o.done(e, etag, created)
			}
			if err != errPrecondition {
				return dataknobs.Result{}, err
			}
		}
		known = false
		if err := o.pause(ctx, try); err != nil {
			return dataknobs.Result{}, err
		}
	}
	return dataknobs.Result{}, errBusy
}

var errBusy = dataknobs.Errorf(dataknobs.Unavailable, "other writers of this record were always faster")

// held reports whether a tombstone still belongs to its writer. Times of
// change have a resolution of a second.
func (o *order) held(s *state) bool {
	return s.dead() && s.now.Sub(s.modified) < o.d.quarantine+time.Second
}

// pause waits a little longer at each try, but not before the first look.
func (o *order) pause(ctx context.Context, try int) error {
	if try == 0 {
		return ctx.Err()
	}
	most := min(time.Millisecond<<min(try, 7), 100*time.Millisecond)
	return sleep(ctx, rand.N(most)) //nolint:gosec // a random pause guards no secret
}

// guess is the state of the object as far as this handle knows it without
// asking. A wrong guess fails its condition.
func (o *order) guess() (s *state, known bool) {
	e, known, own := o.d.index.guess(o.w.ID)
	switch {
	case !known || e.etag == "":
		return nil, known
	case !own && o.d.bodies.get(e.id, e.etag) == nil:
		return nil, false // a listing does not show whether it is a record
	}
	return &state{etag: e.etag, size: e.size, mark: mark{ok: true}}, true
}

// look asks for the state of the object: errForeign where it is no record.
func (o *order) look(ctx context.Context) (*state, error) {
	s, err := o.d.head(ctx, nil, o.key)
	if err != nil || s == nil || s.mark.ok {
		return s, err
	}
	f, err := o.d.fetch(ctx, nil, o.key, "")
	if err == errAbsent {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := decode(o.w.ID, o.key, f.body, f.meta)
	s.etag, s.mark.dead = f.etag, rec == nil
	return s, err
}

// validETag reports whether a revision can be an ETag at all.
func validETag(s string) bool {
	if s == "" || len(s) > 256 {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '*' || c == ',' {
			return false
		}
	}
	return !strings.HasPrefix(s, "W/")
}

// isOurs reports whether the handle knows that the write's revision is that of
// a record: it wrote or read it.
func (o *order) isOurs() bool {
	e, _, own := o.d.index.guess(o.w.ID)
	return own && e.etag == o.w.Revision || o.d.bodies.get(o.w.ID, o.w.Revision) != nil
}

// swap uploads e in place of the content of the write's revision.
func (o *order) swap(ctx context.Context, e *encoded) (string, error) {
	if !o.isOurs() {
		if _, err := o.look(ctx); err != nil {
			return "", err
		}
	}
	for try := range maxTries {
		err := errPrecondition
		var etag string
		if validETag(o.w.Revision) {
			etag, err = o.store(ctx, e, condition{etag: o.w.Revision})
		}
		if err != errPrecondition {
			return etag, err
		}
		s, err := o.look(ctx)
		switch {
		case err != nil:
			return "", err
		case s != nil && s.mark.nonce == e.nonce:
			return s.etag, nil
		case s == nil || s.dead():
			return "", dataknobs.NotFound
		case s.etag != o.w.Revision:
			return "", dataknobs.Errorf(dataknobs.Conflict, "the record has revision %s, not %s", s.etag, o.w.Revision)
		}
		if err := o.pause(ctx, try); err != nil { // a writer was at it but failed
			return "", err
		}
	}
	return "", errBusy
}

func (o *order) replaceRevision(ctx context.Context, e *encoded) (dataknobs.Result, error) {
	etag, err := o.swap(ctx, e)
	if err != nil {
		return dataknobs.Result{}, err
	}
	return o.done(e, etag, false)
}

// patch changes the record that is there.
func (o *order) patch(ctx context.Context) (dataknobs.Result, error) {
	var last *encoded
	for try := range maxTries {
		rec, nonce, err := o.read(ctx)
		switch {
		case err != nil:
			return dataknobs.Result{}, err
		case last != nil && nonce == last.nonce: // the answer was lost
			return o.done(last, rec.Revision, false)
		}
		next, err := o.w.Next(rec)
		if err != nil {
			return dataknobs.Result{}, err
		}
		last = encode(next, o.d.o.Tags)
		etag, err := o.store(ctx, last, condition{etag: rec.Revision})
		if err == nil {
			return o.done(last, etag, false)
		}
		if err != errPrecondition {
			return dataknobs.Result{}, err
		}
		if err := o.pause(ctx, try); err != nil {
			return dataknobs.Result{}, err
		}
	}
	return dataknobs.Result{}, errBusy
}

// read returns the record and the nonce of its object; nil if there is none.
func (o *order) read(ctx context.Context) (*dataknobs.Record, string, error) {
	rec, f, err := o.d.read(ctx, nil, o.w.ID, o.key)
	if err != nil || f == nil {
		return nil, "", err
	}
	return rec, markOf(f.meta).nonce, nil
}

// remove removes the record: a tombstone takes its place, which settles who
// of several removed it, and then is deleted.
func (o *order) remove(ctx context.Context) (dataknobs.Result, error) {
	began := time.Now()
	res := dataknobs.Result{ID: o.w.ID}
	if !o.can.put {
		return res, o.removeUnsafe(ctx)
	}
	e := tombstone()
	etag, err := o.bury(ctx, e, &began)
	if err != nil {
		return dataknobs.Result{}, err
	}
	o.d.index.removed(o.w.ID)
	g := grave{key: o.key, etag: etag, before: began.Add(o.d.quarantine / 2)}
	if o.tomb != nil {
		o.tomb(g)
	} else {
		o.d.clear(ctx, o.can, g)
	}
	return res, nil
}

// bury puts the tombstone in the record's place and returns its ETag. began is
// set to before the attempt that did.
func (o *order) bury(ctx context.Context, e *encoded, began *time.Time) (string, error) {
	if o.w.Revision != "" {
		return o.swap(ctx, e)
	}
	s, known := o.guess()
	for try := range maxTries {
		if !known {
			var err error
			if s, err = o.look(ctx); err != nil {
				return "", err
			}
		}
		switch {
		case s != nil && s.mark.nonce == e.nonce:
			return s.etag, nil
		case known && s == nil: // somebody else may have created it
			known = false
			continue
		case s == nil || s.dead():
			return "", dataknobs.NotFound
		}
		if try > 0 {
			*began = time.Now()
		}
		etag, err := o.store(ctx, e, condition{etag: s.etag})
		if err != errPrecondition {
			return etag, err
		}
		known = false
		if err := o.pause(ctx, try); err != nil {
			return "", err
		}
	}
	return "", errBusy
}

// removeUnsafe removes the record on a server without conditional writes.
func (o *order) removeUnsafe(ctx context.Context) error {
	s, err := o.look(ctx)
	switch {
	case err != nil:
		return err
	case s == nil || s.dead():
		return dataknobs.NotFound
	case o.w.Revision != "" && o.w.Revision != s.etag:
		return dataknobs.Errorf(dataknobs.Conflict, "the record has revision %s, not %s", s.etag, o.w.Revision)
	}
	o.d.index.removed(o.w.ID)
	return o.d.remove(ctx, o.key, "")
}

// clear deletes a tombstone. The record is gone already: what fails here
// leaves a tombstone, which is as good.
func (d *Driver) clear(ctx context.Context, can abilities, g grave) {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), g.before)
	defer cancel()
	if !can.delete {
		g.etag = ""
	}
	if d.remove(ctx, g.key, g.etag) != nil {
		d.old.add(g.key)
	}
}
