package dataknobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
)

// Settings as a driver declares them: shared ones are embedded.
type (
	sharedSettings struct {
		Key  []string `option:"key" doc:"the key"`
		Mode string   `option:"mode" enum:"fast safe" default:"safe" doc:"how"`
	}
	madeSettings struct {
		Path string `option:"path" location:"true" required:"true" doc:"where"`
		sharedSettings
		Max      int           `option:"pool.max" default:"4" min:"1" max:"9" doc:"how many"`
		Far      int64         `option:"far" doc:"a long number"`
		Share    float64       `option:"share" default:"0.5" min:"0" max:"1" doc:"a part"`
		Header   bool          `option:"header" default:"true" doc:"whether"`
		Wait     time.Duration `option:"wait" default:"3s" min:"0s" doc:"how long"`
		Cache    dk.Size       `option:"cache" default:"64KiB" min:"4KiB" doc:"how much"`
		Types    []dk.Pair     `option:"types" doc:"kinds"`
		Index    []dk.Path     `option:"index" doc:"paths"`
		Password dk.Secret     `option:"password" doc:"the password"`
	}
)

var made *dk.Config

func init() {
	dk.Register(&dk.Backend{Name: "testmade", Settings: madeSettings{}, Open: func(_ context.Context, c *dk.Config) (dk.Driver, error) {
		made = c
		return newFake(nil, dk.Features{}), c.Decode(&madeSettings{})
	}})
}

func TestSettingsDeclareOptions(t *testing.T) {
	b, err := dk.LookupBackend("testmade")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range b.Options {
		names = append(names, o.Name)
	}
	want := strings.Fields("path key mode pool.max far share header wait cache types index password")
	if !slices.Equal(names, want) {
		t.Errorf("got the options %q, want %q", names, want)
	}
	mode := b.Options[2]
	if want := (dk.OptionInfo{Name: "mode", Kind: dk.OptionEnum, Enum: []string{"fast", "safe"}, Default: "safe", Doc: "how"}); !reflect.DeepEqual(mode, want) {
		t.Errorf("got %+v, want %+v", mode, want)
	}
	if p := b.Options[len(b.Options)-1]; !p.Secret || p.Kind != dk.OptionString {
		t.Errorf("the secret became %+v", p)
	}
	if p := b.Options[0]; !p.Required || !p.Location {
		t.Errorf("the location became %+v", p)
	}
}

func TestDecodeFillsSettings(t *testing.T) {
	b, _ := dk.LookupBackend("testmade")
	tests := []struct {
		name, location string
		params         map[string]string
		want           madeSettings
	}{
		{"defaults", "x", nil, madeSettings{
			Path: "x", sharedSettings: sharedSettings{Mode: "safe"}, Max: 4, Share: 0.5, Header: true, Wait: 3 * time.Second, Cache: 64 << 10}},
		{"all set", "", map[string]string{
			"path": "p", "key": `a,b\,c`, "mode": "fast", "pool.max": "9", "far": "-5000000000", "share": "1e-1", "header": "off", "wait": "1m30s",
			"cache": "1.5MiB", "types": "a:int,b:time", "index": "a.b,c", "password": "hush"},
			madeSettings{
				Path: "p", sharedSettings: sharedSettings{Key: []string{"a", "b,c"}, Mode: "fast"}, Max: 9, Far: -5000000000, Share: 0.1,
				Wait: 90 * time.Second, Cache: 3 << 19, Types: []dk.Pair{{"a", "int"}, {"b", "time"}},
				Index: []dk.Path{{{Name: "a"}, {Name: "b"}}, {{Name: "c"}}}, Password: "hush"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := dk.NewConfig(b, tt.location, tt.params, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got madeSettings
			if err := c.Decode(&got); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
			if tt.want.Password != "" && string(got.Password) != string(tt.want.Password) {
				t.Error("the secret was lost")
			}
		})
	}
}

func TestOpenByOptionsAlone(t *testing.T) {
	db, err := dk.Open(t.Context(), "testmade:", &dk.Options{Params: map[string]string{"path": "a%20b"}})
	if err != nil || made.Location != "a%20b" || db.Name() != "testmade:a%20b" {
		t.Errorf("got location %q, name %q, %v", made.Location, db.Name(), err)
	}
	if _, err := dk.Open(t.Context(), "testmade:x", &dk.Options{Params: map[string]string{"path": "x"}}); err != nil || made.String("path") != "x" {
		t.Errorf("the same location twice: %v", err)
	}
	_, err = dk.Open(t.Context(), "testmade:x?path=y", nil)
	wantErr(t, err, dk.InvalidArgument, `the URL says "x"`, `option path says "y"`)
	_, err = dk.Open(t.Context(), "testmade:", nil)
	wantErr(t, err, dk.InvalidArgument, "option path is missing", "testmade:PATH")
}

func TestBoundsOfOptions(t *testing.T) {
	for text, words := range map[string][]string{
		"pool.max=0":   {"pool.max must be from 1 to 9", `"0"`},
		"pool.max=10":  {"from 1 to 9"},
		"pool.max=x":   {"a whole number"},
		"share=1.01":   {"from 0 to 1"},
		"share=nan":    {"a number"},
		"wait=-1s":     {"wait must be at least 0s"},
		"cache=1KiB":   {"cache must be at least 4KiB"},
		"mode=saef":    {"one of fast, safe", "did you mean safe?"},
		"pool_max=1":   {`no option "pool_max"`, "did you mean pool.max?"},
		"types=a:b,,x": {"name:value pairs"},
		"index=a..b":   {"option index"},
	} {
		_, err := dk.Open(t.Context(), "testmade:x?"+text, nil)
		wantErr(t, err, dk.InvalidArgument, words...)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := madeSettings{Password: "hush"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "password", s.Password, "all", s)
	inJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(inJSON), s.Password.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, s.Password), fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s))
	}
	for _, text := range texts {
		if strings.Contains(text, "hush") || strings.Contains(text, "68757368") || !strings.Contains(text, "***") {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestSizesPrintAsTheyAreRead(t *testing.T) {
	for size, want := range map[dk.Size]string{0: "0", 5: "5", 1000: "1000", 64 << 10: "64KiB", 3 << 19: "1536KiB", 5 << 20: "5MiB", 1 << 40: "1TiB"} {
		if got := size.String(); got != want {
			t.Errorf("%d prints as %s, want %s", int64(size), got, want)
		}
	}
}

func TestBadSettingsPanic(t *testing.T) {
	bad := map[string]any{
		"no struct": 5,
		"nothing":   nil,
		"no name":   struct{ A string }{},
		"no doc": struct {
			A string `option:"a"`
		}{},
		"not exported": struct {
			a string `option:"a" doc:"x"`
		}{},
		"an unknown type": struct {
			A []int `option:"a" doc:"x"`
		}{},
		"a bad default": struct {
			A int `option:"a" doc:"x" default:"many"`
		}{},
		"beyond bounds": struct {
			A int `option:"a" doc:"x" default:"5" max:"4"`
		}{},
		"a bad bound": struct {
			A int `option:"a" doc:"x" min:"low"`
		}{},
		"bounds of text": struct {
			A string `option:"a" doc:"x" min:"1"`
		}{},
		"an enum of int": struct {
			A int `option:"a" doc:"x" enum:"1 2"`
		}{},
		"an empty enum": struct {
			A string `option:"a" doc:"x" enum:""`
		}{},
		"a secret default": struct {
			A dk.Secret `option:"a" doc:"x" default:"hush"`
		}{},
		"twice": struct {
			A, B string `option:"a" doc:"x"`
		}{},
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: OptionsOf did not panic", name)
				}
			}()
			dk.OptionsOf(bad[name])
		}()
	}
}

func TestDecodePanicsOnWrongStructs(t *testing.T) {
	b, _ := dk.LookupBackend("testmade")
	c, err := dk.NewConfig(b, "x", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	type other struct {
		A string `option:"undeclared" doc:"x"`
	}
	for name, into := range map[string]any{"no pointer": madeSettings{}, "other options": &other{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: Decode did not panic", name)
				}
			}()
			_ = c.Decode(into)
		}()
	}
}

func TestSeveralNumbers(t *testing.T) {
	options := dk.OptionsOf(struct {
		Port []int64 `option:"port" min:"1" max:"65535" doc:"the ports"`
	}{})
	b := &dk.Backend{Name: "ports", Options: options}
	for _, c := range []struct {
		text string
		want []int64
		err  string // part of the error; "": none
	}{
		{"5432", []int64{5432}, ""},
		{"1,,3", []int64{1, 3}, ""},
		{"abc", nil, `a whole number, or several with commas between them, not "abc"`},
		{"", nil, "a whole number"},
		{"1,99999", nil, "from 1 to 65535"},
	} {
		config, err := dk.NewConfig(b, "", map[string]string{"port": c.text}, nil)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("port=%s: %v; wanted %q", c.text, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("port=%s: %v", c.text, err)
			continue
		}
		if got := config.Ints("port"); !slices.Equal(got, c.want) {
			t.Errorf("port=%s: %v; wanted %v", c.text, got, c.want)
		}
	}
}
