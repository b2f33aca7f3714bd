package file

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A side is the file path.dk.json, which keeps beside a file what its format
// cannot show: kinds, the columns of IDs and metadata, the key. Between the
// two steps of replacing a file there are entries for both of its generations.
type side struct {
	Version int `json:"version"` // 1
	// Key is the key that the store was made with.
	Key   []string    `json:"key,omitempty"`
	Files []sideEntry `json:"files,omitempty"` // the newest is last

	text []byte // as it was read
}

// A sideEntry is about one generation of the file.
type sideEntry struct {
	Size   int64         `json:"size"`
	Sample string        `json:"sample"` // xxh3-128 of the first and the last 64 KiB, in hex
	Layout *codec.Layout `json:"layout"`
}

// readSide reads the side file of the store at path; an empty side where there
// is none.
func readSide(path string) (*side, error) {
	text, err := os.ReadFile(path + sideExt)
	if errors.Is(err, fs.ErrNotExist) {
		return &side{Version: 1}, nil
	}
	if err != nil {
		return nil, ioError(path+sideExt, err)
	}
	s := &side{text: text}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "%s cannot be read: %w", path+sideExt, err).
			WithHint("it says of which kind the fields of the file are; without it they are inferred")
	}
	if s.Version != 1 {
		return nil, dataknobs.Errorf(dataknobs.Unsupported, "%s has version %d, which this program does not know", path+sideExt, s.Version)
	}
	return s, nil
}

// layoutOf returns the layout of exactly that file, if there is one, else that
// of the newest generation: a file that another tool has edited keeps the kinds
// of its columns as far as its text can be of them; a cell that cannot be is an
// error that names the column. nil: nothing is known.
func (s *side) layoutOf(f io.ReaderAt, size int64) *codec.Layout {
	if len(s.Files) > 1 {
		if l := s.exactly(f, size); l != nil {
			return l
		}
	}
	if len(s.Files) == 0 {
		return nil
	}
	return s.Files[len(s.Files)-1].Layout
}

// exactly returns the layout of a file that nobody has edited since; else nil.
func (s *side) exactly(f io.ReaderAt, size int64) *codec.Layout {
	sample := sampleOf(f, size)
	for _, e := range s.Files {
		if e.Size == size && e.Sample == sample {
			return e.Layout
		}
	}
	return nil
}

const sampleSize = 64 << 10

// sampleOf hashes the beginning and the end of a file.
func sampleOf(f io.ReaderAt, size int64) string {
	h := xxh3.New()
	buf := make([]byte, sampleSize)
	n, _ := f.ReadAt(buf[:min(size, sampleSize)], 0)
	_, _ = h.Write(buf[:n])
	n, _ = f.ReadAt(buf[:min(size, sampleSize)], max(size-sampleSize, 0))
	_, _ = h.Write(buf[:n])
	return hexOf(h.Sum128())
}

func hexOf(u xxh3.Uint128) string {
	b := u.Bytes()
	return hex.EncodeToString(b[:])
}

// writeSide replaces the side file.
func writeSide(fsys fileSystem, path string, s *side, mode fs.FileMode) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	t, err := newTemp(fsys, path+sideExt, mode)
	if err != nil {
		return err
	}
	if _, err = t.f.Write(append(text, '\n')); err == nil {
		err = t.f.Sync()
	}
	if err != nil {
		t.discard()
		return ioError(t.name, err)
	}
	return t.commit(path + sideExt)
}
