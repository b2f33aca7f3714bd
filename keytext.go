package dataknobs

import "strings"

// KeyText returns the ID of a record keyed by fields with those values: the
// text of a single one (a string is itself, a time is RFC 3339), several joined
// by commas with a backslash before each comma and backslash inside. A null, an
// array, an object, bytes and an empty text cannot be a key: InvalidArgument.
func KeyText(vs []Value) (string, error) {
	switch len(vs) {
	case 0:
		return "", Errorf(InvalidArgument, "a key of no fields")
	case 1:
		return keyPart(vs[0])
	}
	var b strings.Builder
	for i, v := range vs {
		s, err := keyPart(v)
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.ContainsAny(s, `,\`) {
			s = keyEscaper.Replace(s)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

var keyEscaper = strings.NewReplacer(`,`, `\,`, `\`, `\\`)

func keyPart(v Value) (string, error) {
	switch v.kind {
	case KindString:
		if v.num == 0 {
			return "", Errorf(InvalidArgument, "the key is an empty string")
		}
		return v.Str(), nil
	case KindBool, KindInt, KindFloat:
		return v.String(), nil
	case KindTime:
		return string(AppendTime(nil, v.Time())), nil
	}
	return "", Errorf(InvalidArgument, "a value of kind %s cannot be a key", v.kind)
}
