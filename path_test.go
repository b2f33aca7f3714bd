package dataknobs_test

import (
	"strings"
	"testing"

	dk "dataknobs.dev/dataknobs"
	"pgregory.net/rapid"
)

func TestPathText(t *testing.T) {
	for text, p := range map[string]dk.Path{
		"name":             dk.Names("name"),
		"address.city":     dk.Names("address", "city"),
		"`address.city`":   dk.Names("address.city"),
		"tags[0].x[12]":    dk.Names("tags").At(0).Child("x").At(12),
		"`unit price`":     dk.Names("unit price"),
		"`a``b`":           dk.Names("a`b"),
		"`1st`":            dk.Names("1st"),
		"a1":               dk.Names("a1"),
		"`order`.`Select`": dk.Names("order", "Select"),
		"_meta.source":     dk.Names("_meta", "source"),
		"größe.数":          dk.Names("größe", "数"),
		"@type.$ref":       dk.Names("@type", "$ref"),
		"`a-b`":            dk.Names("a-b"),
		"`\"'`":            dk.Names(`"'`),
		"`😀`":              dk.Names("😀"),
		"`[0]`":            dk.Names("[0]"),
	} {
		if got := p.String(); got != text {
			t.Errorf("%#v prints %s, want %s", p, got, text)
		}
		if got, err := dk.ParsePath(text); err != nil || !got.Equal(p) {
			t.Errorf("ParsePath(%s) = %v, %v", text, got, err)
		}
	}
}

func TestPathRoundTrip(t *testing.T) {
	name := rapid.OneOf(
		rapid.SampledFrom([]string{"a", "order", "TIME", "a.b", "a`b", "``", "1", "_x", "é", "a b", "'", "\\", "$", "\u0301", "x\u0301", "\n", "?", "last"}),
		rapid.StringN(1, 20, 60).Filter(func(s string) bool { return dk.CheckName(s) == nil }))
	rapid.Check(t, func(t *rapid.T) {
		p := dk.Names(name.Draw(t, "first"))
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "index") {
				p = p.At(rapid.IntRange(0, 1<<31-1).Draw(t, "i"))
			} else {
				p = p.Child(name.Draw(t, "name"))
			}
		}
		got, err := dk.ParsePath(p.String())
		if err != nil || !got.Equal(p) {
			t.Fatalf("%#v prints %s, which reads back as %#v, %v", p, p, got, err)
		}
	})
}

func TestLookup(t *testing.T) {
	r := dk.NewRecord("7",
		dk.F("id", 5), dk.F("a", map[string]any{"b": []any{1, map[string]any{"c": "x"}}, "n": nil}), dk.F("a.b", "dotted"), dk.F("", 1))
	r.Metadata, r.Revision = dk.Fields{dk.F("source", map[string]any{"file": "f"})}, "r1"
	for text, want := range map[string]string{
		"_id":               "'7'",
		"id":                "5",
		"_rev":              "'r1'",
		"_meta":             "{'source': {'file': 'f'}}",
		"_meta.source.file": "'f'",
		"_meta.none":        "null",
		"_meta[0]":          "null",
		"_id.x":             "null",
		"a.b[0]":            "1",
		"a.b[1].c":          "'x'",
		"a.b[2]":            "null",
		"a.b.c":             "null",
		"a[0]":              "null",
		"a.n":               "null",
		"a.n.x":             "null",
		"id.x":              "null",
		"`a.b`":             "'dotted'",
		"none.x[3]":         "null",
		"_other":            "null",
	} {
		if got := r.Lookup(dk.P(text)).String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for _, p := range []dk.Path{nil, {}, {{Index: 0}}} {
		if v := r.Lookup(p); !v.IsNull() {
			t.Errorf("%v is %s", p, v)
		}
	}
	if v := (&dk.Record{}).Lookup(dk.PathID); !v.IsNull() {
		t.Errorf("the ID of a record without one is %s", v)
	}
}

func TestPathsShareNothing(t *testing.T) {
	p := dk.Names("a", strings.Repeat("b", 3))
	q, r := p.Child("x"), p.At(1)
	if p.String() != "a.bbb" || q.String() != "a.bbb.x" || r.String() != "a.bbb[1]" {
		t.Errorf("got %s, %s, %s", p, q, r)
	}
}
