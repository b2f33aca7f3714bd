package s3

import (
	"crypto/md5" //nolint:gosec // ETags
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// markHeader is the object metadata by which records and tombstones are known:
//
//	1 NONCE CRC32C MD5
//	1 NONCE deleted MD5
//
// NONCE names the one write that made the object, so that a writer whose answer
// was lost finds out what became of its write. CRC32C is the checksum of the
// body, MD5 what its ETag is on most servers (see tear).
const (
	markHeader  = "dataknobs"
	metaHeader  = "dataknobs-meta"  // the metadata that cannot be headers of their own, as tagged JSON
	kindsHeader = "dataknobs-kinds" // the kinds of those headers that are not strings: name=kind,…
	metaMember  = "_meta"           // the member of the body that holds metadata too large for headers
)

// tombstoneSize is the length of every tombstone's body, which no record's has:
// a listing tells the two apart by it.
const tombstoneSize = 65

// nonceBits is how many bits of a write's nonce end its body, as white space.
const nonceBits = 48

// An encoded is an object as it is uploaded.
type encoded struct {
	body  []byte
	nonce string
	md5   string            // of body, in hexadecimal; "": not known
	meta  map[string]string // object metadata
	tags  string            // as a query; "" for none
	size  int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns the object of rec. The fields are one JSON object, tagged
// where plain JSON cannot show a kind. White space after it differs with every
// write, so that no two writes have one ETag.
func encode(rec *dataknobs.Record, tags bool) *encoded {
	e := &encoded{meta: make(map[string]string, 2)}
	fields := rec.Fields
	if len(rec.Metadata) > 0 {
		if inBody, whole := e.setMetadata(rec.Metadata); inBody {
			fields = append(dataknobs.Fields{{Name: metaMember, Value: whole}}, fields...)
		}
		if tags {
			e.tags = tagsOf(rec.Metadata)
		}
	}
	e.body = dataknobs.AdoptObject(fields).AppendTaggedJSON(make([]byte, 0, 512))
	e.finish()
	e.sign(fmt.Sprintf("%08x", crc32.Checksum(e.body, castagnoli)))
	return e
}

// tombstone returns the object that stands where a record was removed, until
// it is removed itself.
func tombstone() *encoded {
	e := &encoded{meta: make(map[string]string, 1)}
	e.body = make([]byte, 0, tombstoneSize)
	for range tombstoneSize - 1 - nonceBits {
		e.body = append(e.body, ' ')
	}
	e.finish()
	e.sign("deleted")
	return e
}

// sign writes the mark, with that text in the place of the checksum.
func (e *encoded) sign(sum string) {
	hash := md5.Sum(e.body) //nolint:gosec // what S3 calls an ETag, no secret
	b := append(make([]byte, 0, 96), "1 "...)
	b = append(append(b, e.nonce...), ' ')
	b = append(append(b, sum...), ' ')
	text := string(hex.AppendEncode(b, hash[:]))
	e.md5 = text[len(text)-hex.EncodedLen(len(hash)):]
	e.meta[markHeader] = text
}

// finish appends the nonce.
func (e *encoded) finish() {
	deleted := len(e.body) > 0 && e.body[0] == ' '
	n := rand.Uint64() //nolint:gosec // nonces tell versions apart, they are no secret
	e.nonce = strconv.FormatUint(n, 36)
	if len(e.body)+nonceBits+1 == tombstoneSize && !deleted {
		e.body = append(e.body, ' ')
	}
	for i := range nonceBits {
		e.body = append(e.body, " \t"[n>>i&1])
	}
	e.body = append(e.body, '\n')
	e.size = int64(len(e.body))
}

// A mark is what markHeader says.
type mark struct {
	nonce string
	md5   string
	dead  bool
	sum   uint32
	ok    bool // there is one
}

func markOf(meta map[string]string) mark {
	text, ok := meta[markHeader]
	if !ok {
		return mark{}
	}
	parts := strings.Split(text, " ")
	if len(parts) != 4 || parts[0] != "1" {
		return mark{}
	}
	m := mark{nonce: parts[1], md5: parts[3], dead: parts[2] == "deleted", ok: true}
	if !m.dead {
		sum, err := strconv.ParseUint(parts[2], 16, 32)
		m.sum, m.ok = uint32(sum), err == nil
	}
	return m
}

// errForeign says that an object is no record: somebody else put it there.
var errForeign = fmt.Errorf("not a record")

// decode returns the record in an object; nil where it is a tombstone. An
// object without a mark is a record if its body is one. The error is errForeign,
// or DataLoss where the object is ours.
func decode(id, key string, body []byte, meta map[string]string) (*dataknobs.Record, error) {
	m := markOf(meta)
	if m.dead || len(body) == tombstoneSize && blank(body) {
		return nil, nil
	}
	if m.ok && crc32.Checksum(body, castagnoli) != m.sum {
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "the object %q is not what was written: its checksum differs", key).
			WithHint("it was changed by another program that kept its metadata, or is damaged")
	}
	rec, err := recordOf(id, body, meta)
	switch {
	case err == nil:
		return rec, nil
	case m.ok:
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "the object %q cannot be read: %w", key, err)
	}
	return nil, errForeign
}

func blank(b []byte) bool { return strings.Trim(string(b), " \t\n") == "" }

func recordOf(id string, body []byte, meta map[string]string) (*dataknobs.Record, error) {
	rec := &dataknobs.Record{ID: id}
	v, err := dataknobs.ParseTaggedJSON(body)
	if err != nil {
		return nil, err
	}
	if v.Kind() != dataknobs.KindObject {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "it is a JSON %s", v.Kind())
	}
	rec.Fields = v.Fields()
	if len(meta) > 0 || len(rec.Fields) > 0 && rec.Fields[0].Name == metaMember {
		if err := readMetadata(rec, meta); err != nil {
			return nil, err
		}
	}
	if !markOf(meta).ok { // what we wrote was checked before
		return rec, rec.Check()
	}
	return rec, nil
}
