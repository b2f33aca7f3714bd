package elasticsearch

import (
	"context"

	"dataknobs.dev/dataknobs"
)

// For the tests in the external package.
var (
	KeyOf      = keyOf
	ValueOfKey = valueOfKey
	IsCut      = isCut
	ColumnOf   = columnOf
	SourceName = sourceName
	Unescape   = unescape
	Backend    = backend
)

// OptionsOf reads settings.
func OptionsOf(c *dataknobs.Config) (*Options, error) { return optionsOf(c) }

// QueryText is the query of e in an index with those columns, as JSON.
func QueryText(e dataknobs.Expr, columns ...string) string {
	m := &mapping{columns: map[string]bool{}}
	for _, c := range columns {
		m.columns[c] = true
	}
	return string(encodeJSON(m.query(e)))
}

// Document is r as it is sent.
func Document(r *dataknobs.Record, declared ...string) []byte {
	m := &mapping{columns: map[string]bool{}, declared: map[string]bool{}, full: true}
	for _, d := range declared {
		m.declared[d] = true
	}
	e := newEncoder(m)
	defer e.free()
	return e.appendDocument(nil, r.ID, r)
}

// ReadDocument reads what Document wrote.
func ReadDocument(id string, doc []byte) (*dataknobs.Record, error) {
	return newDecoder(nil).record(&hit{id: id, seq: -1, source: doc})
}

// ReadAnswer reads an answer to a search, whatever it is.
func ReadAnswer(b []byte) error {
	d := newDecoder(nil)
	hits, err := d.hits(b)
	for i := range hits {
		if _, err := d.record(&hits[i]); err != nil {
			return err
		}
	}
	_, _ = readItems(b, 1)
	_ = lastSort(b)
	return err
}

// KnownColumns are the columns that the driver knows of.
func (d *Driver) KnownColumns(ctx context.Context) (map[string]bool, bool, error) {
	m, err := d.mapping(ctx)
	if m == nil {
		return nil, false, err
	}
	return m.columns, m.full, err
}

// Encoder returns a function that encodes a record with the fields of this one,
// and says how long the document is.
func Encoder(like *dataknobs.Record) func(*dataknobs.Record) int {
	m := &mapping{columns: map[string]bool{}, declared: map[string]bool{}}
	for name := range like.Fields.Names() {
		column, _ := columnOf(dataknobs.Names(name))
		m.columns[column] = true
	}
	m.shared = m.columns
	e := newEncoder(m)
	var b []byte
	return func(r *dataknobs.Record) int {
		b = e.appendDocument(b[:0], r.ID, r)
		return len(b)
	}
}

// Decoder returns a function that decodes one of the records.
func Decoder(recs []*dataknobs.Record) func(i int) int {
	docs := make([][]byte, len(recs))
	for i, r := range recs {
		docs[i] = Document(r)
	}
	d := newDecoder(nil)
	return func(i int) int {
		if _, err := d.record(&hit{id: recs[i].ID, source: docs[i]}); err != nil {
			panic(err)
		}
		return len(docs[i])
	}
}

// LimitAnswers bounds the answers that a store reads, in bytes.
func LimitAnswers(d dataknobs.Driver, most int64) { d.(*Driver).client.most = most }
