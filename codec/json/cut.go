package json

import (
	"bytes"

	"dataknobs.dev/dataknobs/codec/internal/blocks"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
)

// cut finds the last end of a record in data.
func (s *scan) cut(b *blocks.Block, data []byte, last bool) (int, error) {
	if s.f.form == formLines {
		n := len(data)
		if !last {
			n = bytes.LastIndexByte(data, '\n') + 1
		}
		b.Rows = countLines(data[:n])
		return n, nil
	}
	if s.closed {
		return len(data), s.trailing(b, data, 0)
	}
	end, err := s.cutValues(b, data)
	if last {
		// All of it: what stands behind the last record is looked at by whoever reads it.
		if rest := data[end:]; len(bytes.TrimLeft(rest, " \t\r\n")) > 0 && !s.closed {
			b.Rows++
		}
		end = len(data)
	}
	if end == 0 && err == nil {
		err = s.checkLong(b, data)
	}
	return end, err
}

// checkLong tells a record that is merely long from one that is wrong.
func (s *scan) checkLong(b *blocks.Block, data []byte) error {
	r := jsontext.Reader{Text: data[:len(data)+jsontext.Slack]}
	clear(r.Text[len(data):])
	i := r.Space(0)
	if s.f.form == formKeyed && r.Text[i] == '"' {
		if i = r.SkipString(i); i > 0 {
			i = r.Colon(i)
		}
	}
	if i >= 0 && !r.AtEnd(i) {
		i = r.Skip(i, 0)
	}
	if i < 0 && r.Err.At < len(data) && !unfinished(r.Text, r.Err.At) {
		w := worker{f: s.f, r: r, at: s.f.place(b, data, 0)}
		return w.syntax()
	}
	return nil
}

// unfinished reports whether what is wrong at i may be so only because the
// text goes on: a string, a word or a number that the end cuts.
func unfinished(text []byte, i int) bool {
	return text[i] == '"' || text[i] == '\\' || len(text)-jsontext.Slack-i < 32
}

// countLines counts the lines that are not blank.
func countLines(data []byte) (n int64) {
	for p := 0; p < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[p:], '\n'); i >= 0 {
			end = p + i
		}
		if data[p] > ' ' || len(bytes.TrimLeft(data[p:end], " \t\r")) > 0 {
			n++
		}
		p = end + 1
	}
	return n
}

// class says what a byte outside strings does.
var class = [256]uint8{'"': 1, '{': 2, '[': 2, '}': 3, ']': 3, ',': 4}

// cutValues returns the place after the last record of data that ends in it, the comma
// after it included, and counts the records.
func (s *scan) cutValues(b *blocks.Block, data []byte) (end int, err error) {
	wide := data[:len(data)+8]
	depth := 0 // from where records stand
	rows := int64(0)
	for i := 0; i < len(data); i++ {
		switch class[data[i]] {
		case 0:
			continue
		case 1:
			i = stringEnd(wide, i, len(data))
		case 2:
			depth++
		case 3:
			depth--
			switch {
			case depth == 0 && s.f.form == formValues:
				rows++
				end = i + 1
			case depth < 0 && s.f.form != formValues:
				if len(bytes.Trim(data[end:i], " \t\r\n")) > 0 {
					rows++
				}
				b.Rows = rows
				s.closed = true
				return len(data), s.trailing(b, data, i+1)
			}
		case 4:
			if depth == 0 && s.f.form != formValues {
				rows++
				end = i + 1
			}
		}
	}
	b.Rows = rows
	return end, nil
}

// stringEnd returns the place of the quote that closes the string at i; n if
// there is none before n.
func stringEnd(wide []byte, i, n int) int {
	for i++; i < n; i++ {
		i = jsontext.StringStop(wide, i, n)
		if i >= n {
			return n
		}
		switch wide[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return n
}

// trailing checks that only white space follows the end of the array or object.
func (s *scan) trailing(b *blocks.Block, data []byte, i int) error {
	rest := bytes.TrimLeft(data[i:], " \t\r\n")
	if len(rest) == 0 {
		return nil
	}
	return s.f.place(b, data, len(data)-len(rest)).errorf("something follows the end of the JSON value")
}
