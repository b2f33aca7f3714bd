package lex

import (
	"unsafe"

	"dataknobs.dev/dataknobs"
)

// ParseTime reads b, all of it, as a full RFC 3339 time. A date alone is none.
func ParseTime(b []byte) (dataknobs.Value, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[10] != 'T' {
		return dataknobs.Value{}, false
	}
	if len(b) == len("2006-01-02T15:04:05Z") && b[19] == 'Z' {
		if us, ok := utcMicros(b); ok {
			return dataknobs.TimeMicros(us), true
		}
	}
	return dataknobs.ParseTime(unsafe.String(unsafe.SliceData(b), len(b)))
}

// utcMicros reads 2006-01-02T15:04:05Z. It leaves years before 1 and the 60th
// second to the general parser.
func utcMicros(b []byte) (us int64, ok bool) {
	_ = b[19]
	if b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	hi, lo, month, day := pair(b, 0), pair(b, 2), pair(b, 5), pair(b, 8)
	hour, minute, sec := pair(b, 11), pair(b, 14), pair(b, 17)
	if hi|lo|month|day|hour|minute|sec > 99 || hour > 23 || minute > 59 || sec > 59 {
		return 0, false
	}
	year := hi*100 + lo
	if year == 0 || month-1 > 11 || day-1 >= daysIn(year, month) {
		return 0, false
	}
	s := days(int64(year), int64(month), int64(day))*86400 + int64(hour*3600+minute*60+sec)
	return s * 1e6, true
}

// pair returns the number that the two digits at b[i] spell; 128 or more if
// they are no digits.
func pair(b []byte, i int) uint {
	h, l := uint(b[i]-'0'), uint(b[i+1]-'0')
	if h > 9 || l > 9 {
		return 128
	}
	return h*10 + l
}

func daysIn(year, month uint) uint {
	if month == 2 {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + (month+month>>3)&1
}

// days returns how many days after 1970-01-01 a date of the Gregorian calendar is.
func days(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}
