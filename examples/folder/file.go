package folder

import (
	"bytes"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"dataknobs.dev/dataknobs"
)

const (
	ext        = ".record"
	tempPrefix = ".new-" // of files that are being written; no record's name begins so
)

// fileName is the name of an ID's file. Capitals are escaped too, because some
// file systems take A and a for the same name.
func fileName(id string) string {
	const plain, hex = "abcdefghijklmnopqrstuvwxyz0123456789-_", "0123456789abcdef"
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String() + ext
}

// idOf is the ID of a file; false for a file that is no record of ours.
func idOf(name string) (string, bool) {
	escaped, ok := strings.CutSuffix(name, ext)
	if !ok {
		return "", false
	}
	id, err := url.PathUnescape(escaped)
	return id, err == nil && fileName(id) == name
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// read returns the record of that ID; nil if there is none.
func (s *Store) read(id string) (*dataknobs.Record, int, error) {
	if len(id) > MaxID {
		return nil, 0, nil
	}
	path := s.path(fileName(id))
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, ioError(path, err)
	}
	rec, err := decode(id, text)
	if err != nil {
		return nil, 0, dataknobs.Errorf(dataknobs.DataLoss, "%s is no record: %w", path, err)
	}
	return rec, len(text), nil
}

// encode is the text of a record's file. Tagged JSON keeps what plain JSON
// loses: times, bytes, and an int apart from a float.
func encode(rec *dataknobs.Record) []byte {
	b := dataknobs.String(rec.Revision).AppendTaggedJSON(nil)
	b = dataknobs.AdoptObject(rec.Fields).AppendTaggedJSON(append(b, '\n'))
	b = dataknobs.AdoptObject(rec.Metadata).AppendTaggedJSON(append(b, '\n'))
	return append(b, '\n')
}

// decode reads what encode wrote.
func decode(id string, text []byte) (*dataknobs.Record, error) {
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) != 4 {
		return nil, errors.New("it does not have three lines")
	}
	var values [3]dataknobs.Value
	for i := range values {
		v, err := dataknobs.ParseTaggedJSON(lines[i])
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	if values[0].Kind() != dataknobs.KindString || values[1].Kind() != dataknobs.KindObject || values[2].Kind() != dataknobs.KindObject {
		return nil, errors.New("its lines are not a text and two objects")
	}
	rec := dataknobs.NewRecord(id, values[1].Fields()...)
	rec.Revision, rec.Metadata = values[0].Str(), values[2].Fields()
	return rec, rec.Check()
}
