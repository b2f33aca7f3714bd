package hostile

import "strings"

// A Lie is an answer that a server gives instead of the true one.
type Lie struct {
	Name string
	// Do is what the store is asked meanwhile: get, all, pages, count, put, create, delete.
	Do string
	// On is part of the path, or of the query, of the requests that are answered
	// like that; Method is their method, "" for any.
	On, Method string
	Status     int // 0: 200
	Header     map[string]string
	Body       string
	Forever    string // is sent after Body again and again
	Slow       bool   // after Body the connection stays open, and nothing follows
	Length     string // the Content-Length that is claimed, where it is not the true one
	// Want is the code of the error; "deadline" where it is that of the context.
	Want string
}

const (
	unavailable = "unavailable"
	internal    = "internal"
	refused     = "permission denied"
	deadline    = "deadline"
)

const page = "<html><body><h1>Welcome to the hotel's network</h1></body></html>"

// Elasticsearch are lies of a server that should be one. The store is in an
// index that holds one record, x.
var Elasticsearch = []Lie{
	{Name: "HTML for a record", Do: "get", On: "_mget", Body: page, Want: lost},
	{Name: "HTML for a search", Do: "all", On: "_search", Body: page, Want: lost},
	{Name: "HTML for a count", Do: "count", On: "_count", Body: page, Want: internal},
	{Name: "HTML for a write", Do: "put", On: "_bulk", Body: page, Want: internal},
	{Name: "HTML for the mapping", Do: "open", On: "/", Method: "GET", Body: page, Want: internal},
	{Name: "HTML with a status of 403", Do: "get", On: "_mget", Status: 403, Body: page, Want: refused},
	{Name: "nothing for a record", Do: "get", On: "_mget", Want: lost},
	{Name: "nothing for a search", Do: "all", On: "_search", Want: lost},
	{Name: "nothing for a write", Do: "put", On: "_bulk", Want: internal},
	{Name: "an empty object for a record", Do: "get", On: "_mget", Body: "{}", Want: internal},
	{Name: "an empty object for a search", Do: "all", On: "_search", Body: "{}", Want: lost},
	{Name: "an empty object for a count", Do: "count", On: "_count", Body: "{}", Want: internal},
	{Name: "an empty object for a write", Do: "put", On: "_bulk", Body: "{}", Want: internal},
	{Name: "an empty object for the mapping", Do: "open", On: "/", Method: "GET", Body: "{}", Want: internal},
	{Name: "an error with a status of 200", Do: "all", On: "_search", Body: `{"error":{"type":"x","reason":"y"},"status":500}`, Want: lost},
	{Name: "an array", Do: "all", On: "_search", Body: "[]", Want: lost},
	{Name: "cut JSON", Do: "all", On: "_search", Body: `{"hits":{"hits":[{"_id":"x","_seq_no":0,"_primary_term":1,"_sour`, Want: lost},
	{Name: "nested a million deep", Do: "all", On: "_search", Body: `{"hits":{"hits":` + strings.Repeat("[", mib), Want: lost},
	{Name: "a document nested a million deep", Do: "all", On: "_search", Body: `{"hits":{"hits":[{"_id":"x","_seq_no":0,"_primary_term":1,"_source":` + strings.Repeat(`{"a":`, 100_000), Want: lost},
	{Name: "a document that is none", Do: "all", On: "_search", Body: hits(`{"_id":"x","_seq_no":0,"_primary_term":1,"_source":7}`), Want: lost},
	{Name: "a document without an ID", Do: "all", On: "_search", Body: hits(`{"_seq_no":0,"_primary_term":1,"_source":{"n":1}}`), Want: lost},
	{Name: "a document without a revision", Do: "all", On: "_search", Body: hits(`{"_id":"x","_source":{"n":1}}`), Want: lost},
	{Name: "a revision below zero", Do: "all", On: "_search", Body: hits(`{"_id":"x","_seq_no":-7,"_primary_term":-7,"_source":{"n":1}}`), Want: lost},
	{Name: "a revision that is text", Do: "all", On: "_search", Body: hits(`{"_id":"x","_seq_no":"0","_primary_term":1,"_source":{"n":1}}`), Want: lost},
	{Name: "a revision beyond int64", Do: "all", On: "_search", Body: hits(`{"_id":"x","_seq_no":99999999999999999999,"_primary_term":1,"_source":{}}`), Want: lost},
	{Name: "marks of times that are none", Do: "all", On: "_search", Body: hits(`{"_id":"x","_seq_no":0,"_primary_term":1,"_source":{"n":"never","_dk":{"times":["n"]}}}`), Want: lost},
	{Name: "a search that ran out of time", Do: "all", On: "_search", Body: `{"timed_out":true,"hits":{"hits":[]}}`, Want: unavailable},
	{Name: "shards that did not answer", Do: "all", On: "_search", Body: `{"_shards":{"failed":3},"hits":{"hits":[]}}`, Want: unavailable},
	{Name: "more records than were asked for", Do: "first", On: "_search", Body: hits(one("x"), one("y"), one("z")), Want: internal},
	{Name: "the same full page for ever", Do: "pages", On: "_search", Body: hits(many(one, 500)...), Want: internal},
	{Name: "a view without a name", Do: "pages", On: "/_", Method: "POST", Body: hits(many(one, 500)...), Want: internal},
	{Name: "another record", Do: "get", On: "_mget", Body: `{"docs":[{"_id":"y","found":true,"_seq_no":0,"_primary_term":1,"_source":{"n":1}}]}`, Want: internal},
	{Name: "a record too many", Do: "get", On: "_mget", Body: `{"docs":[` + got("x") + `,` + got("x") + `]}`, Want: internal},
	{Name: "no record", Do: "get", On: "_mget", Body: `{"docs":[]}`, Want: internal},
	{Name: "neither there nor not there", Do: "get", On: "_mget", Body: `{"docs":[{"_id":"x"}]}`, Want: internal},
	{Name: "a record without a revision", Do: "get", On: "_mget", Body: `{"docs":[{"_id":"x","found":true,"_source":{"n":1}}]}`, Want: internal},
	{Name: "a count below zero", Do: "count", On: "_count", Body: `{"count":-5,"_shards":{"failed":0}}`, Want: internal},
	{Name: "a count of a half", Do: "count", On: "_count", Body: `{"count":0.5}`, Want: internal},
	{Name: "a count that is text", Do: "count", On: "_count", Body: `{"count":"5"}`, Want: internal},
	{Name: "no item for a write", Do: "put", On: "_bulk", Body: `{"items":[]}`, Want: internal},
	{Name: "an item too many", Do: "put", On: "_bulk", Body: items(wrote("index", "x"), wrote("index", "y")), Want: internal},
	{Name: "an item without a status", Do: "put", On: "_bulk", Body: items(`{"index":{"_id":"x"}}`), Want: internal},
	{Name: "an empty item", Do: "put", On: "_bulk", Body: items(`{"index":{}}`), Want: internal},
	{Name: "an item of another write", Do: "put", On: "_bulk", Body: items(wrote("index", "y")), Want: internal},
	{Name: "an item of another kind", Do: "put", On: "_bulk", Body: items(wrote("delete", "x")), Want: internal},
	{Name: "a write without a revision", Do: "put", On: "_bulk", Body: items(`{"index":{"_id":"x","status":200,"result":"updated"}}`), Want: internal},
	{Name: "items in another order", Do: "put two", On: "_bulk", Body: items(wrote("index", "y"), wrote("index", "x")), Want: internal},
	{Name: "one item for two writes", Do: "put two", On: "_bulk", Body: items(wrote("index", "x")), Want: internal},
	{Name: "a status of 999", Do: "put", On: "_bulk", Body: items(`{"index":{"_id":"x","status":999}}`), Want: internal},
	{Name: "a redirect elsewhere", Do: "get", On: "_mget", Status: 302, Header: map[string]string{"Location": "http://169.254.169.254/latest/meta-data"}, Want: invalid},
	{Name: "an endless answer", Do: "all", On: "_search", Body: `{"hits":{"hits":[`, Forever: one("x") + ",", Want: exhausted},
	{Name: "an endless answer to a write", Do: "put", On: "_bulk", Body: `{"items":[`, Forever: wrote("index", "x") + ",", Want: exhausted},
	{Name: "an endless error", Do: "get", On: "_mget", Status: 500, Forever: "error ", Want: exhausted},
	{Name: "a length of 8 EiB", Do: "all", On: "_search", Body: "{}", Length: "9223372036854775807", Want: unavailable},
	{Name: "an answer shorter than its length", Do: "get", On: "_mget", Body: `{"docs":[`, Length: "1000", Want: unavailable},
	{Name: "an answer that never ends", Do: "get", On: "_mget", Body: `{"docs":[`, Slow: true, Want: deadline},
	{Name: "a scan that never ends", Do: "all", On: "_search", Body: `{"hits":`, Slow: true, Want: deadline},
	{Name: "a write that never ends", Do: "put", On: "_bulk", Body: `{"items":`, Slow: true, Want: deadline},
}

func hits(all ...string) string {
	return `{"timed_out":false,"_shards":{"failed":0},"hits":{"hits":[` + strings.Join(all, ",") + `]}}`
}

func one(id string) string {
	return `{"_id":"` + id + `","_seq_no":0,"_primary_term":1,"_source":{"n":1},"sort":["s` + id + `"]}`
}

func many(f func(string) string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = f("x")
	}
	return all
}

func got(id string) string {
	return `{"_id":"` + id + `","found":true,"_seq_no":0,"_primary_term":1,"_source":{"n":1}}`
}

func items(all ...string) string { return `{"items":[` + strings.Join(all, ",") + `]}` }

func wrote(op, id string) string {
	return `{"` + op + `":{"_id":"` + id + `","_seq_no":9,"_primary_term":1,"status":200,"result":"updated"}}`
}

// S3 are lies of a server that should speak the protocol of S3. The bucket
// holds one record, x.
var S3 = []Lie{
	{Name: "HTML for a record", Do: "get", Method: "GET", Body: page, Want: internal},
	{Name: "HTML for a listing", Do: "all", On: "list-type", Body: page, Want: unavailable},
	{Name: "HTML with a status of 403", Do: "get", Method: "GET", Status: 403, Body: page, Want: refused},
	{Name: "HTML with a status of 500", Do: "get", Method: "GET", Status: 500, Body: page, Want: unavailable},
	{Name: "nothing for a record", Do: "get", Method: "GET", Want: internal},
	{Name: "nothing for a listing", Do: "all", On: "list-type", Want: unavailable},
	{Name: "cut XML", Do: "all", On: "list-type", Body: listing("<Contents><Key>a"), Want: unavailable},
	{Name: "an error with a status of 200", Do: "all", On: "list-type", Body: "<Error><Code>InternalError</Code></Error>", Want: unavailable},
	{Name: "a size that is text", Do: "all", On: "list-type", Body: listing("<Contents><Key>a</Key><ETag>e</ETag><Size>x</Size></Contents></ListBucketResult>"), Want: unavailable},
	{Name: "a listing for ever, without a token", Do: "all", On: "list-type", Body: listing("<IsTruncated>true</IsTruncated></ListBucketResult>"), Want: internal},
	{Name: "a listing for ever, of the same token", Do: "all", On: "list-type", Body: listing("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"), Want: internal},
	{Name: "entities of entities", Do: "all", On: "list-type", Body: `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + listing("<Contents><Key>&b;</Key></Contents></ListBucketResult>"), Want: lost},
	{Name: "an object without an ETag", Do: "all", On: "list-type", Body: listing("<Contents><Key>x.json</Key><Size>9</Size></Contents></ListBucketResult>"), Want: lost},
	{Name: "a size below zero", Do: "all", On: "list-type", Body: listing("<Contents><Key>x.json</Key><ETag>e</ETag><Size>-9</Size></Contents></ListBucketResult>"), Want: lost},
	{Name: "the same page for ever", Do: "all", On: "list-type", Body: listing("<IsTruncated>true</IsTruncated><Contents><Key>x</Key><ETag>e</ETag><Size>9</Size></Contents></ListBucketResult>"), Want: internal},
	{Name: "tags a million deep", Do: "all", On: "list-type", Body: listing(strings.Repeat("<a>", mib)), Want: unavailable},
	{Name: "an object that is no record", Do: "get", Method: "GET", Header: etag, Body: "x", Want: notFound},
	{Name: "a record nested a million deep", Do: "get", Method: "GET", Header: etag, Body: strings.Repeat(`{"a":`, 100_000), Want: unavailable},
	{Name: "a record of another name", Do: "get", Method: "GET", Header: etag, Body: `{"_id":"y","n":1}`, Want: notFound},
	{Name: "a record without an ETag", Do: "get", Method: "GET", Body: `{"n":1}`, Want: internal},
	{Name: "a write without an ETag", Do: "put", Method: "PUT", Want: internal},
	{Name: "an error with a status of 200 for a write", Do: "put", Method: "PUT", Body: "<Error><Code>InternalError</Code></Error>", Want: unavailable},
	{Name: "a redirect elsewhere", Do: "get", Method: "GET", Status: 302, Header: map[string]string{"Location": "http://169.254.169.254/latest/meta-data"}, Want: unavailable},
	{Name: "a redirect of a write", Do: "put", Method: "PUT", Status: 307, Header: map[string]string{"Location": "http://169.254.169.254/"}, Want: unavailable},
	{Name: "an endless record", Do: "get", Method: "GET", Header: etag, Body: `{"n":"`, Forever: "xxxxxxxxxxxxxxxx", Want: unavailable},
	{Name: "an endless listing", Do: "all", On: "list-type", Body: listing(""), Forever: "<Contents><Key>a</Key><ETag>e</ETag><Size>1</Size></Contents>", Want: lost},
	{Name: "an endless error", Do: "get", Method: "GET", Status: 500, Body: "<Error><Code>", Forever: "xxxxxxxxxxxxxxxx", Want: unavailable},
	{Name: "a length of 8 EiB", Do: "get", Method: "GET", Header: etag, Body: `{"n":1}`, Length: "9223372036854775807", Want: unavailable},
	{Name: "a record shorter than its length", Do: "get", Method: "GET", Header: etag, Body: `{"n":1}`, Length: "1000", Want: unavailable},
	{Name: "a record that never ends", Do: "get", Method: "GET", Header: etag, Body: `{"n":`, Slow: true, Want: deadline},
	{Name: "a listing that never ends", Do: "all", On: "list-type", Body: "<ListBucketResult>", Slow: true, Want: deadline},
	{Name: "a write that never ends", Do: "put", Method: "PUT", Slow: true, Want: deadline},
}

var etag = map[string]string{"ETag": `"0123456789abcdef"`}

func listing(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>` + body
}
