package sqlgen

import "dataknobs.dev/dataknobs"

// fastTime reads a time of appendTime's form and the quote after it; false if
// it is of another form or no time.
func fastTime(b []byte) (dataknobs.Value, bool) {
	if len(b) <= timeLen || b[timeLen] != '"' {
		return dataknobs.Value{}, false
	}
	return fixedTime(b[:timeLen])
}

// fixedTime reads a time of appendTime's form.
func fixedTime(b []byte) (dataknobs.Value, bool) {
	if len(b) != timeLen || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[19] != '.' || b[26] != 'Z' {
		return dataknobs.Value{}, false
	}
	bad := false
	num := func(from, to int) int {
		n := 0
		for _, c := range b[from:to] {
			bad = bad || c-'0' > 9
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := num(0, 4), num(5, 7), num(8, 10)
	hour, minute, second, micro := num(11, 13), num(14, 16), num(17, 19), num(20, 26)
	if bad || year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return dataknobs.Value{}, false
	}
	secs := int64(daysSinceEpoch(year, month, day))*86400 + int64(hour*3600+minute*60+second)
	return dataknobs.TimeMicros(secs*1e6 + int64(micro)), true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSinceEpoch returns the days from 1970-01-01 to the date of the
// Gregorian calendar, whose years it counts from March so that the leap day is last.
func daysSinceEpoch(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	const before = 719468 // days from 0000-03-01 to 1970-01-01
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - before
}

// ParseTimeText reads a time of the form of TimeText.
func ParseTimeText(b []byte) (dataknobs.Value, bool) { return fixedTime(b) }
