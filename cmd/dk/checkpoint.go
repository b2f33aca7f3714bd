package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dataknobs.dev/dataknobs"
)

// A checkpoint says how far a copy has come: every record before it has been
// acknowledged by the destination. docs/design/0005-copy-resume.md tells why
// it is what it is.
type checkpoint struct {
	Format  int    `json:"format"`           // 1
	Source  string `json:"source"`           // for people
	Dest    string `json:"destination"`      // for people
	Version string `json:"version"`          // of the source: another one is another copy
	Read    int64  `json:"read"`             // records of the source that are copied
	LastID  string `json:"lastId,omitempty"` // the ID of the last one, where the source is read by ID
	Base    int64  `json:"base,omitempty"`   // append: how many records the destination had before

	path   string // "": it is not kept
	found  bool   // an earlier run left it
	broken bool   // a batch has failed: it moves no further
}

const checkpointFormat = 1

// checkpoint returns where the copy starts: at the beginning, or where an
// earlier run of the same command stopped.
func (c *copier) checkpoint(ctx context.Context) (*checkpoint, error) {
	version, err := sourceVersion(ctx, c.a.place(c.srcName), c.src)
	if err != nil {
		return nil, err
	}
	cp := &checkpoint{Format: checkpointFormat, Source: c.src.Name(), Dest: c.dst.Name(), Version: version}
	if version != "" {
		cp.path = filepath.Join(stateFolder(c.a.getenv), "copy-"+c.fingerprint()+".json")
	}
	old, err := readCheckpoint(cp.path)
	if err != nil {
		return nil, err
	}
	if old != nil && old.Version != version {
		c.a.say("the source has changed since an earlier run of this command stopped: starting at its beginning")
		old = nil
	}
	if old != nil {
		cp.Read, cp.LastID, cp.Base, cp.found = old.Read, old.LastID, old.Base, true
	}
	if c.append {
		return cp, c.appendFrom(ctx, cp)
	}
	return cp, nil
}

// appendFrom places the checkpoint of an append by counting: the destination
// has what it had before, and then one record for each that was copied.
func (c *copier) appendFrom(ctx context.Context, cp *checkpoint) error {
	n, err := c.dst.Count(ctx, nil)
	if err != nil {
		return err
	}
	if !cp.found {
		cp.Base = n
		return nil
	}
	done := n - cp.Base
	if done < cp.Read || done > cp.Read+int64(c.batch) {
		return dataknobs.Errorf(dataknobs.Conflict, "%s has changed since an earlier run of this command stopped: it should have %d to %d records, and has %d",
			c.dst.Name(), cp.Base+cp.Read, cp.Base+cp.Read+int64(c.batch), n).
			WithHint("look at the file; removing %s starts the copy at its beginning", cp.path)
	}
	cp.Read = done
	return nil
}

// fingerprint names the command: stores, options, what is copied, how.
func (c *copier) fingerprint() string {
	b, _ := json.Marshal([]any{
		identity(c.a.place(c.srcName)), c.srcParams, identity(c.a.place(c.dstName)), c.dstParams, c.where, c.sel, c.params.args, c.params.named, c.modeName,
	})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// sourceVersion tells one content of the source from another; "" where there
// is no telling, as of standard input.
func sourceVersion(ctx context.Context, name string, db *dataknobs.DB) (string, error) {
	version := ""
	if path, ok := filePath(name); ok {
		if info, err := os.Stat(path); err == nil {
			version = fmt.Sprintf("%d bytes, %s", info.Size(), info.ModTime().UTC().Format("2006-01-02T15:04:05.999999999Z"))
		}
	} else if name == "-" || features(db).NaturalOrder {
		return "", nil // standard input, or records in memory
	}
	if e, ok := dataknobs.Ability[dataknobs.Epocher](db.Driver()); ok {
		epoch, err := e.Epoch(ctx)
		if err != nil {
			return "", err
		}
		version += " " + epoch
	}
	if version == "" {
		version = "by ID"
	}
	return version, nil
}

// stateFolder is where checkpoints are kept (XDG base directories).
func stateFolder(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dk")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", "dk")
}

// readCheckpoint returns nil where there is none. One that cannot be read is
// an error: to copy from the beginning could double records.
func readCheckpoint(path string) (*checkpoint, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	cp := &checkpoint{}
	if err == nil {
		err = json.Unmarshal(text, cp)
	}
	if err == nil && cp.Format != checkpointFormat {
		err = fmt.Errorf("it is of another version of dk")
	}
	if err != nil {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "cannot read how far an earlier run came, from %s: %w", path, err).
			WithHint("removing the file starts the copy at its beginning")
	}
	return cp, nil
}

// save writes the checkpoint so that it is there whole or not at all.
func (cp *checkpoint) save() error {
	if cp.path == "" {
		return nil
	}
	if err := cp.write(); err != nil {
		return fmt.Errorf("cannot keep how far the copy has come: %w", err)
	}
	return nil
}

func (cp *checkpoint) write() error {
	dir := filepath.Dir(cp.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(cp, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".copy-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(text, '\n'))
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), cp.path)
}

// remove forgets a copy that is done.
func (cp *checkpoint) remove() {
	if cp.path != "" {
		_ = os.Remove(cp.path) // one that stays makes the next run check its records again, no more
	}
}
