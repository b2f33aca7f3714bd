package s3_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/internal/hostile"
	"dataknobs.dev/dataknobs/internal/servers"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func TestDecodeListing(t *testing.T) {
	object := func(key string) string {
		return "<Contents><Key>" + key + "</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;abc-2&quot;</ETag><Size>17</Size><StorageClass>STANDARD</StorageClass></Contents>"
	}
	said := func(key string) string { return key + " abc-2 17 2026-01-02T03:04:05Z" }
	for name, c := range map[string]struct {
		body    string
		objects []string
		more    bool
		bad     bool
	}{
		"empty":      {body: xmlHead + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>`},
		"no content": {body: xmlHead + `<ListBucketResult/>`},
		"one":        {body: xmlHead + `<ListBucketResult><IsTruncated>true</IsTruncated>` + object("a.json") + `</ListBucketResult>`, objects: []string{said("a.json")}, more: true},
		"two, with space between": {
			body:    "<ListBucketResult>\n  " + object("a") + "\n\t" + object("b") + "\n<IsTruncated>true</IsTruncated></ListBucketResult>\n",
			objects: []string{said("a"), said("b")}, more: true,
		},
		"escaped keys": {
			body:    "<ListBucketResult>" + object("a%2Bb+c%3C%26%E2%82%AC") + "<EncodingType>url</EncodingType></ListBucketResult>",
			objects: []string{said("a+b c<&€")},
		},
		"keys that are not escaped": {body: "<ListBucketResult>" + object("a%2B+&amp;amp;&lt;&gt;&apos;") + "</ListBucketResult>", objects: []string{said("a%2B+&amp;<>'")}},
		"numbers of characters":     {body: "<ListBucketResult>" + object("&#97;&#x20AC;&amp;#98;") + "</ListBucketResult>", objects: []string{said("a€&#98;")}},
		"owners, checksums and common prefixes": {
			body: `<ListBucketResult><Contents><Owner><ID>1</ID><Key>no</Key></Owner><Key>a</Key><ETag>"e"</ETag><Size>0</Size><LastModified>2026-01-02T03:04:05Z</LastModified>` +
				`<ChecksumAlgorithm/></Contents><CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes></ListBucketResult>`,
			objects: []string{"a e 0 2026-01-02T03:04:05Z"},
		},
		"prefixed names":          {body: `<s:ListBucketResult xmlns:s="x"><s:Contents><s:Key>a</s:Key></s:Contents></s:ListBucketResult>`, objects: []string{"a  0 0001-01-01T00:00:00Z"}},
		"nothing":                 {body: "", bad: true},
		"cut between objects":     {body: "<ListBucketResult>" + object("a"), bad: true},
		"cut within an object":    {body: "<ListBucketResult>" + object("a")[:40], bad: true},
		"cut in the last tag":     {body: "<ListBucketResult>" + object("a") + "</ListBucketRes", bad: true},
		"another document":        {body: "<html><body>hello</body></html>", bad: true},
		"an object without a key": {body: "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>", bad: true},
		"a key as CDATA":          {body: "<ListBucketResult>" + object("<![CDATA[a]]>") + "</ListBucketResult>", bad: true},
		"a size that is none":     {body: "<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>", bad: true},
		"a bad escape":            {body: "<ListBucketResult>" + object("a%zz") + "<EncodingType>url</EncodingType></ListBucketResult>", bad: true},
		"a bad number":            {body: "<ListBucketResult>" + object("&#xzz;") + "</ListBucketResult>", bad: true},
	} {
		objects, more, err := s3.DecodeListing(c.body)
		if (err != nil) != c.bad || !slices.Equal(objects, c.objects) || more != c.more {
			t.Errorf("%s: got %q, more %v, %v; wanted %q, more %v, an error: %v", name, objects, more, err, c.objects, c.more, c.bad)
		}
	}
}

func FuzzDecodeListing(f *testing.F) {
	f.Add(xmlHead + `<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a&#65;</Key><ETag>&quot;e&quot;</ETag></Contents></ListBucketResult>`)
	f.Add("<a/></></ListBucketResult>< ><!><Contents/>")
	for _, l := range hostile.S3 {
		if len(l.Body) <= hostile.Most {
			f.Add(l.Body)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		objects, _, err := s3.DecodeListing(body)
		if err == nil && !strings.Contains(body, "ListBucketResult") {
			t.Errorf("%q is taken for a listing: %q", body, objects)
		}
	})
}

// A listing that ends early is asked for again; one that always does is an
// error, never a shorter answer.
func TestCutListing(t *testing.T) {
	p := placeOn(t, servers.MinIO(t))
	x := newProxy(t, p)
	s := p.through(t, x, nil)
	s.create(t, numbered(30)...)
	cut := func(times, bytes int64) {
		x.set(nil, func(r *http.Response) error {
			if r.Request.URL.Query().Get("list-type") == "2" && times > 0 {
				times--
				whole, err := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(whole[:min(bytes, int64(len(whole)))])))
				r.ContentLength = -1
				r.Header.Del("Content-Length")
				return err
			}
			return nil
		})
	}
	for _, bytes := range []int64{0, 1000, 3000} {
		cut(2, bytes)
		if n, err := s.Count(t.Context(), nil); err != nil || n != 30 {
			t.Errorf("cut twice after %d bytes: %d records, %v", bytes, n, err)
		}
		cut(1000, bytes)
		wantCode(t, second(s.Count(t.Context(), nil)), dataknobs.Unavailable, "a listing that is always cut")
	}
}
