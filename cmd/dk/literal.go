package main

import (
	"regexp"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// literalHelp is the rule of parseLiteral and parseAssign as the help tells it.
const literalHelp = `name=value sets a number where value is one as JSON writes it (12, -1.5, 2e3), a bool for true and
false, null for null, and the text itself for everything else (007 and 2026-01-02 are texts).
name:=json sets any JSON value: zip:='"04101"', tags:='["a","b"]', since:='{"$time":"2026-01-02T00:00:00Z"}'.`

var (
	jsonInt   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	jsonFloat = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// parseLiteral reads a value from the command line. A number that int64 and
// float64 cannot hold stays a text, so that no digit of it is lost.
func parseLiteral(text string) dataknobs.Value {
	switch text {
	case "null":
		return dataknobs.Null()
	case "true", "false":
		return dataknobs.Bool(text == "true")
	}
	if jsonInt.MatchString(text) {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return dataknobs.Int(i)
		}
	} else if jsonFloat.MatchString(text) {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return dataknobs.Float(f)
		}
	}
	return dataknobs.String(text)
}

// parseAssign splits name=value or name:=json.
func parseAssign(text string) (name string, v dataknobs.Value, err error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" || name == ":" {
		return "", v, usagef("%q is not of the form name=value", text)
	}
	name, isJSON := strings.CutSuffix(name, ":")
	if !isJSON {
		return name, parseLiteral(value), nil
	}
	if v, err = dataknobs.ParseTaggedJSON([]byte(value)); err != nil {
		return "", v, usagef("the value of %s is not JSON: %v", name, err).
			withHint("name=value takes a plain text, without quotes")
	}
	return name, v, nil
}

// parseChange reads name=value or name:=json as a change of a record.
func parseChange(text string) (dataknobs.Change, error) {
	name, v, err := parseAssign(text)
	if err != nil {
		return dataknobs.Change{}, err
	}
	p, err := dataknobs.ParsePath(name)
	return dataknobs.Change{Path: p, Value: v}, err
}

func parseChanges(texts []string) ([]dataknobs.Change, error) {
	cs := make([]dataknobs.Change, len(texts))
	for i, t := range texts {
		var err error
		if cs[i], err = parseChange(t); err != nil {
			return nil, err
		}
	}
	return cs, nil
}

// parseParams reads the parameters of a query: the positional ones and name=value.
func parseParams(args, named []string) ([]any, error) {
	var params []any
	for _, a := range args {
		v := parseLiteral(a)
		if text, ok := strings.CutPrefix(a, ":="); ok {
			var err error
			if v, err = dataknobs.ParseTaggedJSON([]byte(text)); err != nil {
				return nil, usagef("--arg %s is not JSON: %v", a, err)
			}
		}
		params = append(params, v)
	}
	for _, n := range named {
		name, v, err := parseAssign(n)
		if err != nil {
			return nil, err
		}
		params = append(params, dataknobs.Named(name, v))
	}
	return params, nil
}
