package config_test

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
)

type login struct {
	User     string
	Password dataknobs.Secret
}

type mailer struct {
	Host    string        `option:"host" required:"true"`
	Port    uint16        `option:"port" default:"25"`
	Timeout time.Duration `option:"timeout" default:"10s"`
	Max     dataknobs.Size
	Mode    string `enum:"plain tls" default:"tls"`
	login
	Deep struct {
		Ratio float64
		Limit *int8
	}
	Addresses []netip.Addr
	Words     []string
	ByName    map[string]login
	Extra     any
	Raw       *config.Node
	Skipped   string `option:"-"`
}

func TestDecode(t *testing.T) {
	c := mustLoad(t, `mailers:
  a:
    host: mail
    port: '${PORT}'
    max: 64KiB
    user: u
    password: pw
    deep: {ratio: 0.5, limit: -3}
    addresses: [127.0.0.1, '::1']
    words: [a, 'b,c']
    by_name: {x: {user: y}}
    extra: {n: 1, f: 1.5, b: true, l: [a, ~], t: '1'}
    raw: [1, 2]
`, "PORT=2525")
	var got mailer
	c.RegisterFactory("mailer", func(_ context.Context, s *config.Section) (any, error) { return s.Name, s.Decode(&got) })
	if _, err := config.Get[string](t.Context(), c, "mailers", "a"); err != nil {
		t.Fatal(err)
	}
	if got.Raw == nil || got.Raw.Len() != 2 {
		t.Errorf("raw: %v", got.Raw)
	}
	got.Raw = nil
	limit := int8(-3)
	want := mailer{
		Host: "mail", Port: 2525, Timeout: 10 * time.Second, Max: 64 << 10, Mode: "tls", login: login{"u", "pw"},
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
		Words:     []string{"a", "b,c"}, ByName: map[string]login{"x": {User: "y"}},
		Extra: map[string]any{"n": int64(1), "f": 1.5, "b": true, "l": []any{"a", nil}, "t": "1"},
	}
	want.Deep.Ratio, want.Deep.Limit = 0.5, &limit
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeTellsAllFaults(t *testing.T) {
	c := mustLoad(t, `mailers:
  a:
    prot: 25
    port: 70000
    timeout: soon
    max: -1
    mode: tsl
    deep: {limit: 1000}
    addresses: [nowhere]
    words: {a: 1}
    password: [1]
`)
	c.RegisterFactory("mailer", config.Typed(func(context.Context, mailer) (int, error) { return 0, nil }))
	_, err := config.Get[int](t.Context(), c, "mailers", "a")
	if dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
		t.Errorf("code of %v", err)
	}
	got := faultsOf(t, err)
	contains(t, got, "dk.yaml:3:11: mailers.a.prot: there is no such setting (did you mean port?)", "mailers.a.host: the setting is missing",
		"mailers.a.port: the number is too large", "mailers.a.timeout", "mailers.a.max", "did you mean tls?", "mailers.a.deep.limit",
		"mailers.a.addresses.0", "mailers.a.words", "mailers.a.password")
	if strings.Count(got, "\n") != 9 {
		t.Errorf("got %d faults:\n%s", strings.Count(got, "\n")+1, got)
	}
}

func TestFactoriesAreChosen(t *testing.T) {
	c := mustLoad(t, `things:
  plain: {n: 1}
  named: {factory: other, n: 2, backend: kept}
  backed: {backend: other, n: 3}
  wrong: {factory: othr}
listed: [{name: x, factory: other, n: 4}]
policies: {p: {}}
boxes: {b: {}}
unmade: {u: {}}
scalar: {s: 1}
`)
	kind := func(name string) config.Factory {
		return func(_ context.Context, s *config.Section) (any, error) {
			b := s.Node.Get("backend")
			if b != nil {
				return name + " " + b.Text(), nil
			}
			return name, nil
		}
	}
	for _, name := range []string{"thing", "other", "policy", "box"} {
		c.RegisterFactory(name, kind(name))
	}
	for _, x := range []struct{ section, name, want string }{
		{"things", "plain", "thing"}, {"things", "named", "other kept"}, {"things", "backed", "other"},
		{"listed", "x", "other"}, {"policies", "p", "policy"}, {"boxes", "b", "box"},
	} {
		if got, err := config.Get[string](t.Context(), c, x.section, x.name); got != x.want || err != nil {
			t.Errorf("%s.%s: got %q, %v", x.section, x.name, got, err)
		}
	}
	for _, x := range []struct{ section, name, want string }{
		{"things", "wrong", "did you mean other?"}, {"thing", "plain", "did you mean things?"}, {"things", "plan", "did you mean plain?"},
		{"unmade", "u", "nothing says which factory makes it"}, {"scalar", "s", "a map of settings is wanted"},
	} {
		_, err := config.Get[string](t.Context(), c, x.section, x.name)
		if err == nil {
			t.Errorf("%s.%s: no error", x.section, x.name)
			continue
		}
		contains(t, err.Error(), x.want)
	}
	if _, err := config.Get[int](t.Context(), c, "things", "plain"); err == nil || !strings.Contains(err.Error(), "is a string, not a int") {
		t.Errorf("another type: %v", err)
	}
}

func TestFactoriesUseEachOtherButNotInACircle(t *testing.T) {
	c := mustLoad(t, "things: {a: {}, b: {}, c: {}}\ndatabases: {m: {backend: memory}}")
	c.RegisterFactory("thing", func(ctx context.Context, s *config.Section) (any, error) {
		next := map[string]string{"a": "b", "b": "a"}[s.Name]
		if next == "" {
			return s.Config.Open(ctx, "m")
		}
		return config.Get[any](ctx, s.Config, "things", next)
	})
	if _, err := config.Get[*dataknobs.DB](t.Context(), c, "things", "c"); err != nil {
		t.Error(err)
	}
	_, err := config.Get[any](t.Context(), c, "things", "a")
	if err == nil || !strings.Contains(err.Error(), "things.a → things.b → things.a") {
		t.Errorf("got %v", err)
	}
}

func TestAMakerThatPanicsLeavesNobodyWaiting(t *testing.T) {
	c := mustLoad(t, "things: {a: {}}")
	c.RegisterFactory("thing", func(context.Context, *config.Section) (any, error) { panic(errors.New("no")) })
	func() {
		defer func() { _ = recover() }()
		_, _ = config.Get[any](t.Context(), c, "things", "a")
	}()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the second call did not make it anew")
			}
		}()
		_, _ = config.Get[any](t.Context(), c, "things", "a")
	}()
}
