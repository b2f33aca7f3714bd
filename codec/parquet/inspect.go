package parquet

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// The library allocates what lengths inside of a page claim: the content size
// of a compressed block, the runs of levels and dictionary indexes, the counts
// of the delta encodings; and its LZ4 decoder asks for ever larger buffers
// where a block is corrupt. A flipped bit can so cost gigabytes, which no
// recover catches. Pages that have a checksum are safe, for the library checks
// it first; all others are looked through here before the library sees them.

var errLengths = errors.New("a page claims more than it can hold")

// scratch are buffers for the bytes of pages, as stored and decompressed.
var scratch = sync.Pool{New: func() any { return new([2][]byte) }}

// inspect checks the page at the offset, which has at most limit bytes.
func (c *chunk) inspect(at, limit int64) error {
	h, n, err := c.f.header(at, limit)
	if err != nil {
		return err
	}
	if int64(n)+int64(h.CompressedPageSize) > limit {
		return errCorrupt
	}
	if h.CRC != 0 {
		return nil
	}
	bufs := scratch.Get().(*[2][]byte)
	defer scratch.Put(bufs)
	body := sized(&bufs[0], int(h.CompressedPageSize))
	if err := c.f.readAt(body, at+int64(n)); err != nil {
		return err
	}
	size := int(h.UncompressedPageSize)
	if h.Type != format.DataPageV2 {
		if body, err = c.unpack(body, size, &bufs[1]); err != nil || h.Type != format.DataPage {
			return err
		}
		return c.inspectV1(&h.DataPageHeader.V, body)
	}
	v2 := &h.DataPageHeaderV2.V
	rep, def := int(v2.RepetitionLevelsByteLength), int(v2.DefinitionLevelsByteLength)
	if rep < 0 || def < 0 || rep+def > len(body) || rep+def > size {
		return errCorrupt
	}
	values := body[rep+def:]
	if len(values) > 0 && (!v2.IsCompressed.Valid || v2.IsCompressed.V) {
		if values, err = c.unpack(values, size-rep-def, &bufs[1]); err != nil {
			return err
		}
	}
	count := int(v2.NumValues)
	if !runsOK(body[:rep], width(c.leaf.maxRep), count) || !runsOK(body[rep:rep+def], width(c.leaf.maxDef), count) {
		return errLengths
	}
	return c.inspectValues(v2.Encoding, values, count)
}

// sized returns a slice of n bytes, *b's if it has the room.
func sized(b *[]byte, n int) []byte {
	if cap(*b) < n {
		*b = make([]byte, n)
	}
	*b = (*b)[:n]
	return *b
}

func width(top int) uint { return uint(bits.Len(uint(top))) }

// unpack decompresses a body of size bytes, once it is sure that it has no more.
func (c *chunk) unpack(body []byte, size int, buf *[]byte) ([]byte, error) {
	codec := c.meta.MetaData.Codec
	ok := true
	switch codec {
	case format.Uncompressed:
		return body, nil
	case format.Snappy:
		n, err := snappy.DecodedLen(body)
		ok = err == nil && n == size && n <= 64*len(body)+64
	case format.Zstd:
		var h zstd.Header
		err := h.Decode(body)
		ok = err == nil && (!h.HasFCS || h.FrameContentSize <= uint64(size)) && h.WindowSize <= maxPage
	case format.Lz4Raw:
		n, err := lz4.UncompressBlock(body, sized(buf, size))
		if err != nil || n != size || len(body) == 0 {
			return nil, errLengths
		}
		return (*buf)[:size], nil
	}
	if !ok {
		return nil, errLengths
	}
	out, err := parquet.LookupCompressionCodec(codec).Decode(sized(buf, size), body)
	if cap(out) > cap(*buf) {
		*buf = out
	}
	if err == nil && len(out) != size {
		err = errLengths
	}
	return out, err
}

func (c *chunk) inspectV1(h *format.DataPageHeader, b []byte) error {
	n := int(h.NumValues)
	for _, l := range []struct {
		top      int
		encoding format.Encoding
	}{{c.leaf.maxRep, h.RepetitionLevelEncoding}, {c.leaf.maxDef, h.DefinitionLevelEncoding}} {
		if l.top == 0 {
			continue
		}
		if l.encoding == format.BitPacked {
			return nil // fixed in size; what follows is not looked for
		}
		if len(b) < 4 {
			return errCorrupt
		}
		size := binary.LittleEndian.Uint32(b)
		if uint64(size) > uint64(len(b)-4) {
			return errCorrupt
		}
		if !runsOK(b[4:4+size], width(l.top), n) {
			return errLengths
		}
		b = b[4+size:]
	}
	return c.inspectValues(h.Encoding, b, n)
}

func (c *chunk) inspectValues(encoding format.Encoding, b []byte, n int) error {
	ok := true
	switch encoding {
	case format.PlainDictionary, format.RLEDictionary: //nolint:staticcheck // deprecated for writers; older files have it
		ok = len(b) == 0 || b[0] <= 32 && runsOK(b[1:], uint(b[0]), n)
	case format.RLE:
		ok = len(b) < 4 || runsOK(b[4:], 1, n)
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.DeltaByteArray:
		ok = deltaOK(encoding, b, n)
	}
	if !ok {
		return errLengths
	}
	return nil
}

// slack is how many values more than its page has a stream may hold: writers
// fill up the last group.
const slack = 1 << 10

// runsOK reports whether the runs of levels or dictionary indexes come to about
// n values.
func runsOK(b []byte, width uint, n int) bool {
	total := uint64(0)
	for len(b) > 0 && total <= uint64(n)+slack {
		h, k := binary.Uvarint(b)
		if k <= 0 {
			return total >= uint64(n) // what follows the values is of no interest
		}
		size := uint64(width+7) / 8
		run := h >> 1
		if h&1 != 0 {
			if run > uint64(len(b)) {
				return false
			}
			size = run * uint64(width)
			run *= 8
		} else if run > uint64(n)+slack {
			return false
		}
		total += run
		b = b[k:]
		b = b[min(size, uint64(len(b))):]
	}
	return total <= uint64(n)+slack
}
