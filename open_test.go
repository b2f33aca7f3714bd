package dataknobs_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dk "dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// opened is what the backends of these tests were opened with last.
var opened *dk.Config

func init() {
	options := []dk.OptionInfo{
		{Name: "key"},
		{Name: "count", Kind: dk.OptionInt, Default: "7"},
		{Name: "header", Kind: dk.OptionBool, Default: "yes"},
		{Name: "size", Kind: dk.OptionSize, Default: "64KiB"},
		{Name: "wait", Kind: dk.OptionDuration},
		{Name: "sync", Kind: dk.OptionEnum, Enum: []string{"always", "batch", "none"}},
		{Name: "nulls", Kind: dk.OptionList},
		{Name: "types", Kind: dk.OptionMap},
		{Name: "password", Secret: true},
		{Name: "port", Kind: dk.OptionInt, Secret: true},
	}
	open := func(_ context.Context, c *dk.Config) (dk.Driver, error) {
		opened = c
		if c.String("key") == "fail" {
			return nil, dk.Errorf(dk.Unavailable, "no answer")
		}
		return newFake(nil, dk.Features{}), nil
	}
	dk.Register(&dk.Backend{Name: "testfile", Schemes: []string{"tf"}, Paths: true, Options: options, Open: open})
	dk.Register(&dk.Backend{Name: "testnet", Options: options, Open: open})
}

func TestOpenLocations(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd?key=x")
	if err := os.WriteFile(odd, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ store, backend, location, name, key string }{
		{"people.csv", "testfile", "people.csv", "people.csv", ""},
		{"people.csv?key=id", "testfile", "people.csv", "people.csv", "id"},
		{"people.csv?key=a%20b", "testfile", "people.csv", "people.csv", "a%20b"},
		{"what?.csv", "testfile", "what?.csv", "what?.csv", ""},
		{"logs/2024-*.csv.gz", "testfile", "logs/2024-*.csv.gz", "logs/2024-*.csv.gz", ""},
		{"a?b?key=c?d", "testfile", "a?b?key=c?d", "a?b?key=c?d", ""}, // what follows the last ? is no option
		{odd, "testfile", odd, odd, ""},                               // a file of the literal name exists
		{"100%.csv", "testfile", "100%.csv", "100%.csv", ""},
		{"-", "testfile", "-", "-", ""},
		{"-?key=id", "testfile", "-", "-", "id"},
		{`C:\data\x.csv`, "testfile", `C:\data\x.csv`, `C:\data\x.csv`, ""},
		{"./odd:name.csv", "testfile", "./odd:name.csv", "./odd:name.csv", ""},
		{"dir/a:b", "testfile", "dir/a:b", "dir/a:b", ""},
		{"testfile:people.csv?key=a%26b+c", "testfile", "people.csv", "testfile:people.csv", "a&b+c"},
		{"TF:people%3F.csv", "testfile", "people?.csv", "TF:people?.csv", ""},
		{"tf:///abs/people.csv", "testfile", "/abs/people.csv", "tf:///abs/people.csv", ""},
		{"testnet:", "testnet", "", "testnet:", ""},
		{"testnet://host:99/base?key=k&password=hush", "testnet", "host:99/base", "testnet://host:99/base", "k"},
		{"testnet://ann:p%40ss%2Fw@rd@host/base", "testnet", "ann:p@ss/w@rd@host/base", "testnet://ann:***@host/base", ""},
		{"testnet:host=h password=hush", "testnet", "host=h password=hush", "testnet:***", ""},
	}
	for _, tt := range tests {
		t.Run(tt.store, func(t *testing.T) {
			db, err := dk.Open(t.Context(), tt.store, nil)
			if err != nil {
				t.Fatalf("Open(%q): %v", tt.store, err)
			}
			if opened.Backend.Name != tt.backend || opened.Location != tt.location || db.Name() != tt.name || opened.String("key") != tt.key {
				t.Errorf("Open(%q): got backend %s, location %q, name %q, key %q; want %s, %q, %q, %q", tt.store,
					opened.Backend.Name, opened.Location, db.Name(), opened.String("key"), tt.backend, tt.location, tt.name, tt.key)
			}
			if want := !strings.HasPrefix(tt.store, tt.location) || tt.location == ""; opened.FromURL != want {
				t.Errorf("Open(%q): FromURL is %t", tt.store, opened.FromURL)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	tests := []struct {
		store string
		words []string
	}{
		{"", []string{"no store is named"}},
		{"  ", []string{"no store is named"}},
		{"testfil:x", []string{`"testfil"`, "did you mean testfile?", "./testfil:"}},
		{"gopher://x", []string{`no kind of store called "gopher"`, "testnet"}},
		{"file:x", []string{`without the backend "file"`, `import _ "dataknobs.dev/dataknobs/driver/file"`}},
		{"redis:x", []string{`no kind of store called "redis"`, "file, "}}, // no import of what there is not
		{"x.csv?kye=id", []string{`no option "kye"`, "did you mean key?"}},
		{"testnet:?zzzzzz=1", []string{`no option "zzzzzz"`, "it has key, count"}},
		{"testnet:?key=a&key=b", []string{"key is given twice"}},
		{"testnet:?key", []string{"name=value"}},
		{"testnet:?key=%zz", []string{"key", "percent"}},
		{"testnet:%zz", []string{"percent"}},
		{"testnet:?count=many", []string{"count must be a whole number", `"many"`}},
		{"testnet:?header=maybe", []string{"header must be true, false, yes, no, on, off, 1 or 0"}},
		{"testnet:?size=big", []string{"size must be a number of bytes"}},
		{"testnet:?wait=3", []string{"wait must be a duration"}},
		{"testnet:?sync=allways", []string{"sync must be one of always, batch, none", "did you mean always?"}},
		{"testnet:?types=zip", []string{"types must be name:value pairs"}},
		{"testnet:?key=fail", []string{"no answer", "testnet:"}},
	}
	for _, tt := range tests {
		t.Run(tt.store, func(t *testing.T) {
			_, err := dk.Open(t.Context(), tt.store, nil)
			code := dk.InvalidArgument
			if strings.Contains(tt.store, "fail") {
				code = dk.Unavailable
			}
			wantErr(t, err, code, tt.words...)
		})
	}
}

func TestOpenShowsNoSecret(t *testing.T) {
	for _, store := range []string{
		"testnet://ann:hush@host/?kye=1", "testnet://ann:hush@host/?key=fail", "testnet:?password=hush&password=hush",
		"testnet:?port=hush", "testnot://ann:hush@host", "testnet://ann:hush%zz@host", "testnet://ann:hu@sh@host?key=fail",
	} {
		_, err := dk.Open(t.Context(), store, nil)
		if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "hu@sh") {
			t.Errorf("Open(%q): %v", store, err)
		}
	}
}

func TestConfigDoesNotPrint(t *testing.T) {
	if _, err := dk.Open(t.Context(), "testnet://ann:hush@host?password=hush", nil); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if text := fmt.Sprintf(verb, opened); text != "settings of testnet" {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestOpenParamsWin(t *testing.T) {
	_, err := dk.Open(t.Context(), "x.csv?key=a&count=3", &dk.Options{Params: map[string]string{"key": "b"}})
	if err != nil || opened.String("key") != "b" || opened.Int("count") != 3 {
		t.Errorf("got key %q, count %d, %v", opened.String("key"), opened.Int("count"), err)
	}
	_, err = dk.Open(t.Context(), "x.csv", &dk.Options{Params: map[string]string{"heder": "b"}, Name: "mine"})
	wantErr(t, err, dk.InvalidArgument, "mine", "did you mean header?")
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dk.Open(ctx, "x.csv", nil); !dk.IsContext(err) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestConfigValues(t *testing.T) {
	b, err := dk.LookupBackend("TestFile")
	if err != nil {
		t.Fatal(err)
	}
	c, err := dk.NewConfig(b, "x", map[string]string{
		"header": "OFF", "size": "1.5 MiB", "wait": "3s", "nulls": `NA, a\,b,`, "types": `zip:string, a\:b:int`,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Warn("dropped")
	if c.Bool("header") || c.Size("size") != 3<<19 || c.Duration("wait") != 3*time.Second || c.Int("count") != 7 || c.IsSet("count") || !c.IsSet("wait") {
		t.Errorf("got %t %d %v %d", c.Bool("header"), c.Size("size"), c.Duration("wait"), c.Int("count"))
	}
	if got := c.List("nulls"); !slices.Equal(got, []string{"NA", "a,b", ""}) {
		t.Errorf("got the list %q", got)
	}
	if got := c.Map("types"); !slices.Equal(got, []dk.Pair{{"zip", "string"}, {"a:b", "int"}}) {
		t.Errorf("got the pairs %q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("an option that was not declared did not panic")
		}
	}()
	c.String("undeclared")
}

func TestSizes(t *testing.T) {
	b, _ := dk.LookupBackend("testnet")
	for text, want := range map[string]int64{"0": 0, "4096": 4096, "64KiB": 64 << 10, "1GB": 1e9, "2k": 2048, "1.5M": 3 << 19, "12b": 12} {
		c, err := dk.NewConfig(b, "", map[string]string{"size": text}, nil)
		if err != nil || c.Size("size") != want {
			t.Errorf("size=%s: got %v, want %d", text, err, want)
		}
	}
	for _, text := range []string{"", "-1", "1e3", "inf", "NaN", "0x10", "1_000", "9999999999GB", "KiB", "1 2"} {
		if _, err := dk.NewConfig(b, "", map[string]string{"size": text}, nil); err == nil {
			t.Errorf("size=%q was accepted", text)
		}
	}
}

func TestBackendsListsAll(t *testing.T) {
	var names []string
	for _, b := range dk.Backends() {
		names = append(names, b.Name)
	}
	if !slices.IsSorted(names) || !slices.Contains(names, "testfile") || slices.Contains(names, "tf") {
		t.Errorf("got %v", names)
	}
}

func TestRegisterPanics(t *testing.T) {
	open := func(context.Context, *dk.Config) (dk.Driver, error) { return nil, nil }
	bad := map[string]*dk.Backend{
		"twice":         {Name: "testfile", Open: open},
		"a scheme":      {Name: "fresh1", Schemes: []string{"tf"}, Open: open},
		"upper case":    {Name: "Fresh2", Open: open},
		"one letter":    {Name: "f", Open: open},
		"no Open":       {Name: "fresh3"},
		"a bad default": {Name: "fresh4", Open: open, Options: []dk.OptionInfo{{Name: "n", Kind: dk.OptionInt, Default: "x"}}},
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: Register did not panic", name)
				}
			}()
			dk.Register(bad[name])
		}()
	}
}

// Whatever the name of a store is, Open answers with a store or an
// InvalidArgument error, and shows no password.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"people.csv", "a?key=b&key=c", "testnet://u:hush@h/x?size=1KiB&types=a:b", "tf:%41?nulls=a\\,b", "-", "testnet:?header=on", "C:\\x"} {
		f.Add(s)
	}
	for _, s := range hostile.Seeds(hostile.URLs) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, store string) {
		db, err := dk.Open(t.Context(), store, nil)
		switch {
		case err == nil && db.Name() == "" || err != nil && db != nil:
			t.Errorf("Open(%q): got %v, %v", store, db, err)
		case err != nil && dk.CodeOf(err) != dk.InvalidArgument && opened.String("key") != "fail":
			t.Errorf("Open(%q): %v", store, err)
		}
	})
}

// A URL has a slash before the drive that Windows does not want.
func TestDrivesInURLs(t *testing.T) {
	tests := []struct{ place, system, want string }{
		{"/C:/data/x.json", "windows", "C:/data/x.json"},
		{`/c:\data\x.json`, "windows", `c:\data\x.json`},
		{"/C:", "windows", "C:"},
		{"/data/x.json", "windows", "/data/x.json"},
		{"/server/share/x.json", "windows", "/server/share/x.json"},
		{"/C:/data/x.json", "linux", "/C:/data/x.json"}, // a folder may be called so
	}
	for _, tt := range tests {
		if got := dk.WithoutRoot(tt.place, tt.system); got != tt.want {
			t.Errorf("%s on %s means %s, want %s", tt.place, tt.system, got, tt.want)
		}
	}
}

// A path of Windows is no URL: its drive is not taken for a scheme.
func TestPathsOfWindows(t *testing.T) {
	for _, tt := range []struct{ store, location string }{
		{`C:\data\x.json`, `C:\data\x.json`},
		{"C:/data/x.json?key=id", "C:/data/x.json"},
		{`\\server\share\x.csv`, `\\server\share\x.csv`},
		{`tf:C:\data\x.json`, `C:\data\x.json`},
		{"tf:C:/data/100%25.json", "C:/data/100%.json"},
	} {
		if _, err := dk.Open(t.Context(), tt.store, nil); err != nil {
			t.Errorf("%s: %v", tt.store, err)
		} else if opened.Backend.Name != "testfile" || opened.Location != tt.location {
			t.Errorf("%s opens %s of %s, want %s", tt.store, opened.Location, opened.Backend.Name, tt.location)
		}
	}
}
