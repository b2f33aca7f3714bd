package file

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"

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
func readSide(fsys fileSystem, path string) (*side, error) {
	text, err := readAll(fsys, path+sideExt)
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

func readAll(fsys fileSystem, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, 0, info.Size()))
}

// layoutOf returns the layout of exactly that file, if there is one, else that
// of the newest generation: a file that another tool has edited keeps the kinds
// of its columns as far as its text can be of them; a cell that cannot be is an
// error that names the column. nil: nothing is known.
func (s *side) layoutOf(f io.ReaderAt, size int64) (*codec.Layout, error) {
	if len(s.Files) > 1 {
		if l, err := s.exactly(f, size); l != nil || err != nil {
			return l, err
		}
	}
	if len(s.Files) == 0 {
		return nil, nil
	}
	return s.Files[len(s.Files)-1].Layout, nil
}

// exactly returns the layout of a file that nobody has edited since; else nil.
func (s *side) exactly(f io.ReaderAt, size int64) (*codec.Layout, error) {
	sample, err := sampleOf(f, size)
	if err != nil {
		return nil, err
	}
	for _, e := range s.Files {
		if e.Size == size && e.Sample == sample {
			return e.Layout, nil
		}
	}
	return nil, nil
}

const sampleSize = 64 << 10

// sampleOf hashes the beginning and the end of a file.
func sampleOf(f io.ReaderAt, size int64) (string, error) {
	h := xxh3.New()
	buf := make([]byte, min(size, sampleSize))
	for _, off := range []int64{0, max(size-sampleSize, 0)} {
		n, err := f.ReadAt(buf, off)
		if err != nil && err != io.EOF {
			return "", err
		}
		_, _ = h.Write(buf[:n])
	}
	return hexOf(h.Sum128()), nil
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
		err = t.seal(path + sideExt)
	}
	if err != nil {
		t.discard()
		return ioError(t.name, err)
	}
	return t.rename(path + sideExt)
}
