package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"dataknobs.dev/dataknobs"
)

// A Reload says what reading a configuration again has come to.
type Reload struct {
	// Err is why the old configuration stays; nil: the new one is in use.
	Err error
	// Changed are the stores whose settings are others now, or that are new or gone.
	Changed []string
}

// Reload reads the files and the environment again. If they are wrong nothing
// changes, and the error says why. Otherwise later calls of [Config.Open] and
// [Get] go by the new settings: a store whose settings have changed is opened
// anew. Whoever holds an older instance goes on with it undisturbed; it is closed
// when nobody holds it any more (no query, no transaction, no variable), or by
// [Config.Close]. A store that the configuration no longer describes cannot be opened.
func (c *Config) Reload() Reload {
	s, err := c.read()
	if err != nil {
		return Reload{Err: err}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return Reload{Err: errClosed}
	}
	old := c.now
	c.now = s
	changed := changes(old, s)
	for _, name := range changed {
		key := under(databases, name)
		in := c.shared[key]
		if in == nil {
			continue
		}
		delete(c.shared, key)
		select {
		case <-in.done:
			in.retire()
		default: // its maker does it
		}
	}
	return Reload{Changed: changed}
}

// changes lists the stores that differ, sorted.
func changes(old, now *state) []string {
	var names []string
	for name, s := range now.stores {
		if was := old.stores[name]; was == nil || !sameStore(was, s) {
			names = append(names, name)
		}
	}
	for name := range old.stores {
		if now.stores[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func sameStore(a, b *store) bool {
	if a.backend == nil || b.backend == nil || len(a.faults)+len(b.faults) > 0 {
		return a.backend == b.backend && a.faults.Error() == b.faults.Error()
	}
	return a.print() == b.print()
}

// settle is how long the files must be still before they are read: whoever
// writes them does so in several steps.
const settle = 100 * time.Millisecond

// Watch reloads the configuration whenever one of its files or of the secret
// files that it names changes, until ctx is done; report is told of each reload
// that changed or failed, in turn. It returns an error where the files cannot be
// watched, else that of ctx.
//
//	go func() { done <- cfg.Watch(ctx, func(r config.Reload) { log.Print(r.Changed, r.Err) }) }()
func (c *Config) Watch(ctx context.Context, report func(Reload)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return dataknobs.Errorf(dataknobs.Unavailable, "cannot watch files: %w", err)
	}
	defer w.Close()
	if err := c.watch(w); err != nil {
		return err
	}
	seen := c.state().seen()
	timer := time.NewTimer(0) // once at the beginning: what changed since the load
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, ok := <-w.Events:
			if !ok {
				return dataknobs.Errorf(dataknobs.Unavailable, "the files are no longer watched")
			}
			timer.Reset(settle)
		case err := <-w.Errors:
			c.o.Warn("watching the configuration: " + err.Error())
		case <-timer.C:
			now := c.state().onDisk()
			if now == seen {
				continue
			}
			seen = now
			r := c.Reload()
			if r.Err == nil {
				seen = c.state().seen() // other files than before, it may be
			}
			if err := c.watch(w); err != nil && r.Err == nil {
				c.o.Warn(err.Error())
			}
			report(r)
		}
	}
}

// watch watches the folders of all files: a file that is replaced is another
// one, but its folder stays.
func (c *Config) watch(w *fsnotify.Watcher) error {
	s := c.state()
	have := w.WatchList()
	for _, path := range slices.Concat(s.files, s.watched) {
		dir := filepath.Dir(path)
		if slices.Contains(have, dir) {
			continue
		}
		if err := w.Add(dir); err != nil && !errors.Is(err, fsnotify.ErrEventOverflow) {
			return dataknobs.Errorf(dataknobs.Unavailable, "cannot watch the folder %s: %w", dir, err)
		}
		have = append(have, dir)
	}
	return nil
}

// A digest stands for what files hold.
type digest [sha256.Size]byte

// seen is the digest of what the state was made of.
func (s *state) seen() digest {
	h := sha256.New()
	for _, path := range s.files {
		note(h, path, string(s.data[path]))
	}
	for _, path := range s.watched {
		note(h, path, s.resolver.secret[path])
	}
	return digest(h.Sum(nil))
}

// onDisk is the digest of what the same files hold now.
func (s *state) onDisk() digest {
	h := sha256.New()
	for _, path := range s.files {
		src, err := readSource(path)
		if err != nil {
			src.Data = []byte(err.Error())
		}
		note(h, path, string(src.Data))
	}
	for _, path := range s.watched {
		text, err := readSecret(path)
		if err != nil {
			text = err.Error()
		}
		note(h, path, text)
	}
	return digest(h.Sum(nil))
}

func note(h hash.Hash, path, text string) { fmt.Fprintf(h, "%q %q\n", path, text) }
