package s3

import (
	"fmt"
	"io"
	"sync"

	"dataknobs.dev/dataknobs/driver/internal/remote"
)

// What is read of a file is kept in segments. The first one at some place is
// small; each that follows another is twice as large, so that a codec which
// reads on gets few requests, and one which jumps reads little in vain.
const (
	leastSegment = 64 << 10
	mostSegment  = 4 << 20
	keptBytes    = 64 << 20
)

// segments are the parts of files that were read last.
type segments struct {
	most int64

	mu   sync.Mutex
	size int64 // guarded by mu, like all below
	list []*segment
}

// A segment is a part of a file, or will be once done is closed.
type segment struct {
	name string
	from int64
	size int64
	done chan struct{}
	data []byte
	err  error
}

func (s *segment) end() int64 { return s.from + s.size }

// find returns the segment that holds the byte, or begins one; fresh says that
// the caller is to read it. want is how many bytes are needed from there.
func (c *segments) find(x remote.File, off, want int64) (s *segment, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := int64(leastSegment)
	for i, s := range c.list {
		if s.name != x.Name {
			continue
		}
		if off >= s.from && off < s.end() {
			copy(c.list[i:], c.list[i+1:]) // the last used stands last
			c.list[len(c.list)-1] = s
			return s, false
		}
		if off == s.end() {
			size = max(size, min(2*s.size, mostSegment))
		}
	}
	s = &segment{name: x.Name, from: off, size: min(max(size, want), x.Size-off), done: make(chan struct{})}
	if tail := x.Size - leastSegment; off > tail && tail > 0 { // a footer, whose beginning is asked for next
		s.from, s.size = tail, leastSegment
	}
	for _, other := range c.list { // no more than is missing
		if other.name != x.Name {
			continue
		}
		if other.end() <= off && other.end() > s.from {
			s.from, s.size = other.end(), s.end()-other.end()
		}
		if other.from > off && other.from < s.end() {
			s.size = other.from - s.from
		}
	}
	c.list = append(c.list, s)
	for c.size += s.size; c.size > c.most && len(c.list) > 1; {
		c.size -= c.list[0].size
		c.list = c.list[1:]
	}
	return s, true
}

// lose forgets a segment that could not be read.
func (c *segments) lose(s *segment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, x := range c.list {
		if x == s {
			c.list = append(c.list[:i], c.list[i+1:]...)
			c.size -= s.size
			return
		}
	}
}

func (c *segments) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list, c.size = nil, 0
}

// ReaderAt implements remote.Folder.
func (f *folder) ReaderAt(x remote.File) io.ReaderAt { return &at{f, x} }

type at struct {
	f *folder
	x remote.File
}

// ReadAt implements io.ReaderAt.
func (a *at) ReadAt(b []byte, off int64) (int, error) {
	n := 0
	for n < len(b) {
		from := off + int64(n)
		if from >= a.x.Size {
			return n, io.EOF
		}
		s, fresh := a.f.kept.find(a.x, from, min(int64(len(b)-n), mostSegment))
		if fresh {
			s.data, s.err = a.f.readPart(a.x, s.from, s.size)
			if s.err != nil {
				a.f.kept.lose(s)
			}
			close(s.done)
		}
		<-s.done
		if s.err != nil {
			return n, s.err
		}
		n += copy(b[n:], s.data[from-s.from:])
	}
	return n, nil
}

// rangeText is the part of a file as HTTP writes it; to -1: to its end.
func rangeText(from, to int64) string {
	if to < 0 {
		return fmt.Sprintf("bytes=%d-", from)
	}
	return fmt.Sprintf("bytes=%d-%d", from, to)
}
