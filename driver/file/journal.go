package file

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
)

// The journal is the file path.journal: a line that says what it is, and
// frames. A frame is a head of 24 bytes and a body:
//
//	0  length of the body, 4 bytes, little endian like all numbers here
//	4  CRC-32C of the body
//	8  number of the frame, 8 bytes, from 1
//	16 kind
//	17 0: the frame before was on disk when it was written; 1: that is not known
//	18 1: the body ends with a byte that is not zero and not part of it; 0: it does not
//	19 a zero byte
//	20 CRC-32C of the 20 bytes before
//
// The head has a checksum of its own, so that a damaged length cannot pass for a
// frame that was cut short. Zeros may follow the last frame: see makeRoom.
const (
	journalMagic = "dataknobs journal 1\n"
	frameHead    = 24
	maxFrame     = 1 << 30
)

// The kinds of frames.
const (
	frameBase  = 1 // a mark in JSON: the file that the journal is about. The first frame
	frameWrite = 2 // operations, which apply together or not at all
	frameFold  = 3 // a mark in JSON: a file that holds all of the journal may take its place now
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A mark tells one generation of the file from every other.
type mark struct {
	Absent bool   `json:"absent,omitempty"` // there is no file
	Size   int64  `json:"size"`
	Hash   string `json:"xxh3,omitempty"` // of the whole content, 128 bits in hex
	MTime  int64  `json:"mtime"`          // nanoseconds; where it and the size agree, the content is not read
	Made   int64  `json:"made,omitempty"` // of the first frame: when the journal was made, so that no two have the same
}

// markOf makes the mark of a file; f is nil where there is none.
func markOf(f io.ReaderAt, id fileID) (mark, error) {
	if f == nil {
		return mark{Absent: true}, nil
	}
	hash, err := hashOf(f, id.size)
	return mark{Size: id.size, MTime: id.mtime, Hash: hash}, err
}

func hashOf(f io.ReaderAt, size int64) (string, error) {
	h := xxh3.New()
	if _, err := io.CopyBuffer(h, io.NewSectionReader(f, 0, size), make([]byte, 256<<10)); err != nil {
		return "", err
	}
	return hexOf(h.Sum128()), nil
}

// matches reports whether m is the mark of that file.
func (m *mark) matches(f io.ReaderAt, id fileID) (bool, error) {
	switch {
	case m == nil:
		return false, nil
	case m.Absent || f == nil:
		return m.Absent && f == nil, nil
	case m.Size != id.size:
		return false, nil
	case m.MTime == id.mtime:
		return true, nil
	}
	hash, err := hashOf(f, id.size)
	return hash == m.Hash, err
}

// The values of byte 17 of a frame's head.
const (
	afterSync  = 0
	afterWrite = 1
)

// The last byte of a frame shows that the write of it came to its end.
const lastByte = 0xff

// appendFrame appends a whole frame to b.
func appendFrame(b []byte, kind, after byte, seq uint64, body []byte) []byte {
	from := len(b)
	b = append(b, make([]byte, frameHead)...)
	b = append(append(b, body...), lastByte)
	head, body := b[from:from+frameHead], b[from+frameHead:]
	binary.LittleEndian.PutUint32(head[0:], uint32(len(body)))
	binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(body, castagnoli))
	binary.LittleEndian.PutUint64(head[8:], seq)
	head[16], head[17], head[18] = kind, after, 1
	binary.LittleEndian.PutUint32(head[20:], crc32.Checksum(head[:20], castagnoli))
	return b
}

// A journal is what has been read of a journal file.
type journal struct {
	name  string
	id    fileID          // when it was opened
	first [frameHead]byte // the head of the first frame, which no other journal has
	end   int64           // behind the last whole frame
	seq   uint64          // of that frame
	base  mark
	fold  *mark // of the last fold frame
	after bool  // frames follow the last fold frame
	torn  bool  // something that is no whole frame follows end
}

// errShort: what is at the end of the journal is not a whole frame.
var errShort = errors.New("not a whole frame")

// openJournal reads the journal of the store at path from its beginning; nil if
// there is none, or nothing in it.
func openJournal(fsys fileSystem, path string) (*journal, readFile, error) {
	name := path + journalExt
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, ioError(name, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, ioError(name, err)
	}
	j := &journal{name: name, id: idOf(info)}
	if err := j.begin(f); err != nil {
		f.Close()
		return nil, nil, err
	}
	return j, f, nil
}

// begin reads the first line and the first frame. A journal whose making was
// cut short has an end of 0: nothing in it was ever acknowledged.
func (j *journal) begin(f io.ReaderAt) error {
	magic := make([]byte, len(journalMagic))
	n, err := f.ReadAt(magic, 0)
	switch {
	case err != nil && err != io.EOF:
		return ioError(j.name, err)
	case string(magic[:n]) == journalMagic:
	case cutShort(magic[:n], journalMagic):
		j.torn = n > 0
		return j.nothingBehind(f, 0, 1)
	default:
		return dataknobs.Errorf(dataknobs.DataLoss, "%s is not a journal of this program, or its beginning is damaged", j.name)
	}
	kind, body, next, err := j.frame(f, int64(len(magic)), 1)
	switch {
	case err == errShort:
		j.torn = true
		return j.nothingBehind(f, int64(len(magic)), 1)
	case err != nil:
		return err
	case kind != frameBase || json.Unmarshal(body, &j.base) != nil:
		return j.damaged(int64(len(magic)), "its first frame does not say which file it belongs to")
	}
	j.end, j.seq = next, 1
	_, err = f.ReadAt(j.first[:], int64(len(magic)))
	return ioError(j.name, err)
}

// isAt reports whether f is the file that j was read from, as far as that.
func (j *journal) isAt(f io.ReaderAt) bool {
	var head [frameHead]byte
	_, err := f.ReadAt(head[:], int64(len(journalMagic)))
	return err == nil && head == j.first
}

// endsAt reports whether nothing has been written to f behind what was read of it.
func (j *journal) endsAt(f io.ReaderAt) bool {
	var head [frameHead]byte
	_, err := f.ReadAt(head[:], j.end)
	return (err == nil || err == io.EOF) && head == [frameHead]byte{}
}

// frame reads the frame at off, which must have that number. The error is
// errShort where a write was cut short.
func (j *journal) frame(f io.ReaderAt, off int64, seq uint64) (kind byte, body []byte, next int64, err error) {
	var head [frameHead]byte
	n, err := f.ReadAt(head[:], off)
	if err != nil && err != io.EOF {
		return 0, nil, 0, ioError(j.name, err)
	}
	size := int64(binary.LittleEndian.Uint32(head[:]))
	switch {
	case n < len(head):
		return 0, nil, 0, errShort
	case !wholeHead(head[:]):
		if hasHole(head[:], off) || headCut(head[:]) { // written in part, or not at all
			return 0, nil, 0, errShort
		}
		return 0, nil, 0, j.damaged(off, "the head of a frame does not match its checksum")
	case binary.LittleEndian.Uint64(head[8:]) != seq:
		return 0, nil, 0, j.damaged(off, "a frame is missing")
	case size > maxFrame:
		return 0, nil, 0, j.damaged(off, "a frame is longer than any can be")
	}
	if body, err = readBody(f, off+frameHead, size); err != nil && err != errShort {
		err = ioError(j.name, err)
	}
	if err != nil {
		return 0, nil, 0, err
	}
	closed := head[18] == 1 && size > 0
	if binary.LittleEndian.Uint32(head[4:]) != crc32.Checksum(body, castagnoli) {
		if hasHole(body, off+frameHead) || closed && body[size-1] == 0 {
			return 0, nil, 0, errShort
		}
		return 0, nil, 0, j.damaged(off, "a frame does not match its checksum")
	}
	if closed {
		body = body[:size-1]
	}
	return head[16], body, off + frameHead + size, nil
}

// headCut reports whether head, which does not match its checksum, is the
// beginning of one that does, and zeros.
func headCut(head []byte) bool {
	sum := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(head[:20], castagnoli))
	return allZero(head[20:]) || cutShort(head[20:], string(sum))
}

// cutShort reports whether b is the beginning of text, and zeros or nothing.
func cutShort(b []byte, text string) bool {
	n := 0
	for n < len(b) && b[n] == text[n] {
		n++
	}
	return allZero(b[n:])
}

func wholeHead(head []byte) bool {
	return binary.LittleEndian.Uint32(head[20:]) == crc32.Checksum(head[:20], castagnoli)
}

// sector is the least that a disk writes: all of it, or nothing.
const sector = 512

// hasHole reports whether b, which stands at off and does not match its
// checksum, is what a write leaves that was cut short: what of b stands in one of
// the sectors is still zero. Damage looks otherwise.
func hasHole(b []byte, off int64) bool {
	for len(b) > 0 {
		n := min(len(b), int(sector-off%sector))
		if allZero(b[:n]) {
			return true
		}
		b, off = b[n:], off+int64(n)
	}
	return false
}

func allZero(b []byte) bool { return bytes.Equal(b, zeros[:len(b)]) }

// nothingBehind is for a frame of that number, at off, which is not whole. It
// returns an error if a later one was written when this one was on disk: then it
// was not cut short, but damaged.
func (j *journal) nothingBehind(f io.ReaderAt, off int64, seq uint64) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.ReadAt(buf, off)
		if err != nil && err != io.EOF {
			return ioError(j.name, err)
		}
		if !allZero(buf[:n]) {
			for i := range n - frameHead + 1 {
				if h := buf[i : i+frameHead]; h[16] != 0 && h[17] == afterSync && binary.LittleEndian.Uint64(h[8:]) > seq && wholeHead(h) {
					return j.damaged(off+int64(i), "a frame is here, but one before it is not whole")
				}
			}
		}
		if n < len(buf) {
			return nil
		}
		off += int64(n - frameHead + 1)
	}
}

// readBody reads n bytes, in pieces: a length is believed only as far as there
// are bytes.
func readBody(f io.ReaderAt, off, n int64) ([]byte, error) {
	var body []byte
	for int64(len(body)) < n {
		piece := min(n-int64(len(body)), 1<<20)
		at := len(body)
		body = append(body, make([]byte, piece)...)
		m, err := f.ReadAt(body[at:], off+int64(at))
		switch {
		case m == int(piece):
		case err == io.EOF:
			return nil, errShort
		default:
			return nil, err
		}
	}
	return body, nil
}

func (j *journal) damaged(off int64, why string) error {
	return dataknobs.Errorf(dataknobs.DataLoss, "%s: byte %d: %s", j.name, off, why).
		WithHint("nothing was changed; keep a copy of the file and its journal before you do anything else")
}

// replay gives the operations of the frames behind end to apply, and moves end
// on. It stops before what is no whole frame.
func (j *journal) replay(f io.ReaderAt, apply func(op)) error {
	for j.end > 0 {
		kind, body, next, err := j.frame(f, j.end, j.seq+1)
		if err == errShort {
			if j.torn, err = hasByte(f, j.end); err != nil {
				return ioError(j.name, err)
			}
			return j.nothingBehind(f, j.end, j.seq+1)
		}
		if err != nil {
			return err
		}
		switch kind {
		case frameWrite:
			if err := j.operations(body, apply); err != nil {
				return err
			}
			j.after = true
		case frameFold:
			j.fold, j.after = &mark{}, false
			if json.Unmarshal(body, j.fold) != nil {
				return j.damaged(j.end, "a frame cannot be read")
			}
		default:
			return j.damaged(j.end, "a frame is of a kind that this program does not know")
		}
		j.end, j.seq = next, j.seq+1
	}
	return nil
}

// hasByte reports whether there is anything at off.
func hasByte(f io.ReaderAt, off int64) (bool, error) {
	var one [1]byte
	n, err := f.ReadAt(one[:], off)
	if err == io.EOF {
		err = nil
	}
	return n == 1, err
}

// operations decodes the body of a write frame, all of it before any is applied.
func (j *journal) operations(body []byte, apply func(op)) error {
	bad := func() error { return j.damaged(j.end, "the operations of a frame cannot be read") }
	count, b, ok := uvarint(body)
	if !ok || count > uint64(len(b)) {
		return bad()
	}
	ops := make([]op, 0, count)
	for range count {
		o, rest, err := decodeOp(b)
		if err != nil {
			return bad()
		}
		ops, b = append(ops, o), rest
	}
	if len(b) > 0 {
		return bad()
	}
	for _, o := range ops {
		apply(o)
	}
	return nil
}
