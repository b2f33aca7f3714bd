package s3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"dataknobs.dev/dataknobs"
)

// A bucket and its prefix can be named by options alone.
func TestPlaceByOptions(t *testing.T) {
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path + " " + r.URL.Query().Get("prefix")
		_, _ = io.WriteString(w, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>`)
	}))
	defer server.Close()
	for _, c := range []struct {
		name, store string
		params      map[string]string
	}{
		{"options alone", "s3:", map[string]string{"bucket": "b", "prefix": "app/people"}},
		{"the URL alone", "s3://b/app/people", nil},
		{"both alike", "s3://b/app/people", map[string]string{"bucket": "b", "prefix": "app/people/"}},
		{"one each", "s3://b", map[string]string{"prefix": "app/people"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := map[string]string{"endpoint": server.URL, "access_key": "k", "secret_key": "s", "region": "us-east-1"}
			for name, text := range c.params {
				params[name] = text
			}
			db, err := dataknobs.Open(t.Context(), c.store, &dataknobs.Options{Params: params})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if got := <-asked; got != "/b app/people/" && got != "/b/ app/people/" {
				t.Errorf("asked for %q", got)
			}
		})
	}
}

func TestSettingsThatExcludeEachOther(t *testing.T) {
	for _, store := range []string{
		"s3://b/p?bucket=c", "s3://b/p?prefix=q", "s3:", "s3:?prefix=p", "s3://b?access_key=k", "s3://b?session_token=t",
		"s3://b?anonymous=true&access_key=k&secret_key=s", "s3://b?parallel=0", "s3://b?attempts=0", "s3://b?timeout=0s",
		"s3://b?part_size=4MiB", "s3://b?index_ttl=-1s", "s3://b?max_requests=-1", "s3://b?format=cvs",
	} {
		_, err := dataknobs.Open(t.Context(), store, nil)
		wantCode(t, err, dataknobs.InvalidArgument, store)
	}
}
