package elasticsearch_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
)

func settings(t *testing.T, scheme, location string, params map[string]string) (*elasticsearch.Options, error) {
	t.Helper()
	c, err := dataknobs.NewConfig(elasticsearch.Backend, location, params, nil)
	if err != nil {
		return nil, err
	}
	c.Scheme, c.FromURL = scheme, true
	return elasticsearch.OptionsOf(c)
}

func TestLocations(t *testing.T) {
	for _, c := range []struct {
		scheme, location  string
		nodes             string
		index, user, pass string
	}{
		{"es+http", "127.0.0.1:9200/people", "http://127.0.0.1:9200", "people", "", ""},
		{"es+https", "a,b:9201,[::1]/people", "https://a:9200 https://b:9201 https://[::1]:9200", "people", "", ""},
		{"es", "me:p@ss:w/rd@a/people", "https://a:9200", "people", "me", "p@ss:w/rd"},
		{"elasticsearch", "me@a:1/x", "https://a:1", "x", "me", ""},
	} {
		o, err := settings(t, c.scheme, c.location, nil)
		if err != nil {
			t.Errorf("%s: %v", c.location, err)
			continue
		}
		var nodes []string
		for _, n := range o.Nodes {
			nodes = append(nodes, n.String())
		}
		if got := strings.Join(nodes, " "); got != c.nodes || o.Index != c.index || o.User != c.user || o.Password != c.pass {
			t.Errorf("%s: got nodes %s, index %q, user %q, password %q", c.location, got, o.Index, o.User, o.Password)
		}
	}
}

func TestPlacesByOptions(t *testing.T) {
	type m = map[string]string
	for _, c := range []struct {
		location string
		params   m
		nodes    string // "": refused
	}{
		{"", m{"hosts": "http://127.0.0.1:9200", "index": "people"}, "http://127.0.0.1:9200"},
		{"", m{"hosts": "a,https://b:1/", "index": "people"}, "https://a:9200 https://b:1"},
		{"people", m{"hosts": "a"}, "https://a:9200"},
		{"/people", m{"hosts": "a", "user": "me", "password": "secret"}, "https://a:9200"},
		{"a/people", m{"hosts": "a:9200", "index": "people"}, "https://a:9200"},
		{"a", m{"index": "people"}, "https://a:9200"},
		{"me:secret@a/people", m{"user": "me", "password": "secret"}, "https://a:9200"},
		{"me@a/people", m{"password": "secret"}, "https://a:9200"},
		{"a/people", m{"index": "other"}, ""},
		{"a/people", m{"hosts": "b"}, ""},
		{"me:secret@a/people", m{"password": "other"}, ""},
		{"", m{"index": "people"}, ""},
		{"", m{"hosts": "a"}, ""},
		{"", m{"hosts": "me:secret@a", "index": "people"}, ""},
		{"", m{"hosts": "a", "index": "people", "cloud_id": "x"}, ""},
	} {
		o, err := settings(t, "elasticsearch", c.location, c.params)
		var nodes []string
		if err == nil {
			for _, n := range o.Nodes {
				nodes = append(nodes, n.String())
			}
		}
		switch got := strings.Join(nodes, " "); {
		case c.nodes == "" && dataknobs.CodeOf(err) != dataknobs.InvalidArgument:
			t.Errorf("%q with %v: got %q, %v; wanted InvalidArgument", c.location, c.params, got, err)
		case c.nodes == "" && strings.Contains(err.Error(), "secret"):
			t.Errorf("the error tells a secret: %v", err)
		case c.nodes != "" && (got != c.nodes || o.Index != "people"):
			t.Errorf("%q with %v: got %q and the index %q, %v; wanted %q", c.location, c.params, got, o.Index, err, c.nodes)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for _, c := range []struct {
		name, location string
		params         map[string]string
	}{
		{"no index", "127.0.0.1:9200", nil},
		{"an empty index", "127.0.0.1:9200/", nil},
		{"no server", "/people", nil},
		{"a bad server", "http://x:y/people", nil},
		{"two credentials", "me:secret@a/people", map[string]string{"api_key": "secret"}},
		{"two users", "me:secret@a/people", map[string]string{"user": "you"}},
		{"bad shards", "a/people", map[string]string{"shards": "-1"}},
		{"an unknown kind", "a/people", map[string]string{"types": "a:secret"}},
		{"a bad cloud ID", "people", map[string]string{"cloud_id": "secret"}},
		{"no such settings file", "a/people", map[string]string{"settings_file": "/no/such/file"}},
	} {
		_, err := settings(t, "es+http", c.location, c.params)
		if dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
			t.Errorf("%s: got %v, wanted InvalidArgument", c.name, err)
		} else if strings.Contains(err.Error(), "secret") && c.name != "an unknown kind" {
			t.Errorf("%s: the error tells a secret: %v", c.name, err)
		}
	}
}

func TestCloudID(t *testing.T) {
	id := "mine:" + base64.StdEncoding.EncodeToString([]byte("eu.example.com$abc$def"))
	o, err := settings(t, "es", "people", map[string]string{"cloud_id": id, "api_key": "k"})
	if err != nil || len(o.Nodes) != 1 || o.Nodes[0].String() != "https://abc.eu.example.com:443" || o.Index != "people" {
		t.Errorf("got %v, %v", o, err)
	}
}

func TestIndexNames(t *testing.T) {
	u, _ := url.Parse("http://127.0.0.1:1")
	for _, name := range []string{"", "A", "a b", "a,b", "a*", "_a", "-a", "a/b", "..", "a\"", "a?pretty", strings.Repeat("x", 300)} {
		_, err := elasticsearch.New(t.Context(), elasticsearch.Options{Nodes: []*url.URL{u}, Index: name, Retries: -1})
		if dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
			t.Errorf("the index name %q: got %v, wanted InvalidArgument", name, err)
		}
	}
}
