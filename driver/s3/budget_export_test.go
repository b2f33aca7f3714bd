package s3

import "dataknobs.dev/dataknobs"

// Decoder returns a function that decodes the object of rec.
func Decoder(rec *dataknobs.Record) func() error {
	e := encode(rec, false)
	return func() error {
		_, err := decode(rec.ID, "key", e.body, e.meta)
		return err
	}
}

// Encode makes the object of rec.
func Encode(rec *dataknobs.Record) { encode(rec, false) }
