package sqlite

import (
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// parseTime reads a time as programs keep them in SQLite: a date; a date and a
// time of day with a space or a T between them, with or without seconds and
// fractions; with Z or an offset, else in UTC; and what Go's Time.String writes.
func parseTime(b []byte) (dataknobs.Value, bool) {
	if len(b) < len("2006-01-02") || len(b) > 64 || b[4] != '-' || b[7] != '-' {
		return dataknobs.Value{}, false
	}
	// The form that sqlgen reads, filled in place by place.
	fixed := [27]byte([]byte("0000-00-00T00:00:00.000000Z"))
	copy(fixed[:], b[:10])
	rest := b[10:]
	if len(rest) == 0 {
		return sqlgen.ParseTimeText(fixed[:])
	}
	if rest[0] != ' ' && rest[0] != 'T' || len(rest) < len(" 15:04") || rest[3] != ':' {
		return dataknobs.Value{}, false
	}
	copy(fixed[11:], rest[1:6])
	rest = rest[6:]
	if len(rest) >= 3 && rest[0] == ':' {
		copy(fixed[17:], rest[1:3])
		if rest = rest[3:]; len(rest) > 1 && rest[0] == '.' {
			n := 1
			for ; n < len(rest) && rest[n]-'0' <= 9; n++ {
				if n <= 6 {
					fixed[19+n] = rest[n] //nolint:gosec // it has room for six digits
				}
			}
			if n == 1 {
				return dataknobs.Value{}, false
			}
			rest = rest[n:]
		}
	}
	v, ok := sqlgen.ParseTimeText(fixed[:])
	if !ok {
		return dataknobs.Value{}, false
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return parseGoTime(string(b))
	}
	return inYears(dataknobs.TimeMicros(v.Micros() - offset.Microseconds()))
}

// parseOffset reads what follows the time of day: nothing, Z, ±hh:mm.
func parseOffset(b []byte) (time.Duration, bool) {
	switch {
	case len(b) == 0 || len(b) == 1 && b[0] == 'Z':
		return 0, true
	case len(b) != len("+07:00") || b[0] != '+' && b[0] != '-' || b[3] != ':':
		return 0, false
	}
	two := func(i int) (int, bool) {
		return int(b[i]-'0')*10 + int(b[i+1]-'0'), b[i]-'0' <= 9 && b[i+1]-'0' <= 9
	}
	h, ok := two(1)
	m, ok2 := two(4)
	if !ok || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if b[0] == '-' {
		d = -d
	}
	return d, true
}

// parseGoTime reads what Go's Time.String writes, as some Go programs store it.
func parseGoTime(s string) (dataknobs.Value, bool) {
	t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", s)
	if err != nil {
		return dataknobs.Value{}, false
	}
	return inYears(dataknobs.Time(t))
}

// inYears refuses a time outside the years 1 to 9999.
func inYears(v dataknobs.Value) (dataknobs.Value, bool) {
	year := v.Time().Year()
	return v, year >= 1 && year <= 9999
}
