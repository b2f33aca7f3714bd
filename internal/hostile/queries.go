package hostile

import "strings"

// Queries are texts of the query language.
var Queries = []Case{
	{Name: "parentheses a million deep", Make: times("(", mib), Want: invalid},
	{Name: "parentheses that close", Make: around("(", 100_000, "a = 1", ")"), Want: invalid},
	{Name: "NOT a hundred thousand times", Make: join(times("NOT ", 100_000), text("a = 1")), Want: invalid},
	{Name: "arrays a hundred thousand deep", Make: join(text("a = "), around("[", 100_000, "", "]")), Want: invalid},
	{Name: "objects without end", Make: join(text("a = "), times("{'a': ", 100_000)), Want: invalid},
	{Name: "a hundred thousand ORs", Make: join(times("a = 1 OR ", 100_000), text("a = 1")), Answer: "a query"},
	{Name: "a list of a hundred thousand", Make: join(text("a IN ("), times("1, ", 100_000), text("1)")), Answer: "a query"},
	{Name: "two mebibytes", Make: join(text("a = '"), times("x", 2*mib), text("'")), Want: invalid},
	{Name: "a string that never ends", Make: text("a = 'x"), Want: invalid},
	{Name: "a name that never ends", Make: text("`a = 1"), Want: invalid},
	{Name: "a name of a kilobyte", Make: join(times("x", 1024), text(" = 1")), Want: invalid},
	{Name: "a NUL in a string", Make: text("a = 'x\x00y'"), Want: invalid},
	{Name: "a NUL between words", Make: text("a\x00= 1"), Want: invalid},
	{Name: "no UTF-8", Make: text("a = '\xff'"), Want: invalid},
	{Name: "a byte order mark", Make: text("\ufeffa = 1"), Want: invalid},
	{Name: "a reversed word", Make: text("a = 1 \u202eRO b = 2"), Want: invalid},
	{Name: "injected SQL", Make: text("a = 1; DROP TABLE records; --"), Want: invalid},
	{Name: "injected SQL in a string", Make: text("a = '''; DROP TABLE records; --'"), Answer: "a query"},
	{Name: "injected SQL in a name", Make: text("`a\"; DROP TABLE records; --` = 1"), Answer: "a query"},
	{Name: "a number of a thousand digits", Make: join(text("a = "), times("9", 1000)), Want: invalid},
	{Name: "1e999", Make: text("a = 1e999"), Want: invalid},
	{Name: "a limit below zero", Make: text("LIMIT -1"), Want: invalid},
	{Name: "a limit beyond int64", Make: text("LIMIT 99999999999999999999"), Want: invalid},
	{Name: "an offset beyond int64", Make: text("OFFSET 99999999999999999999"), Want: invalid},
	{Name: "an index below zero", Make: text("a[-1] = 1"), Want: invalid},
	{Name: "an index beyond int64", Make: text("a[99999999999999999999] = 1"), Want: invalid},
	{Name: "a path a thousand deep", Make: join(text("a"), times(".a", 1000), text(" = 1")), Answer: "a query"},
	{Name: "a pattern of stars", Make: text("a MATCHES '(((a*)*)*)*b'"), Answer: "a query"},
	{Name: "a pattern that unfolds", Make: text("a MATCHES '((a{1000}){1000}){1000}'"), Want: invalid},
	{Name: "a pattern that is none", Make: text("a MATCHES '('"), Want: invalid},
	{Name: "a pattern of a million percent signs", Make: join(text("a LIKE '"), times("%", 500_000), text("'")), Answer: "a query"},
	{Name: "a pattern ending in an escape", Make: text(`a LIKE 'x\'`), Want: invalid},
	{Name: "a time that never was", Make: text("a = time '2026-02-30'"), Want: invalid},
	{Name: "a year of five digits", Make: text("a = time '99999-01-01T00:00:00Z'"), Want: invalid},
	{Name: "bytes that are none", Make: text("a = bytes '!!!'"), Want: invalid},
	{Name: "= null", Make: text("a = null"), Want: invalid},
	{Name: "a null in a list", Make: text("a IN (1, null)"), Want: invalid},
	{Name: "an operator that is none", Make: text("a === 1"), Want: invalid},
	{Name: "a function that is none", Make: text("SELECT sleep(10)"), Want: invalid},
	{Name: "a name with a line below it first", Make: text("_version = 1"), Answer: "a query"},
	{Name: "a placeholder without a value", Make: text("a = ?"), Want: invalid},
	{Name: "a hundred thousand columns", Make: join(text("SELECT "), times("a, ", 100_000), text("a")), Want: invalid},
	{Name: "an aggregate in a condition", Make: text("count(*) > 1"), Want: invalid},
}

// QueryJSON are queries as JSON.
var QueryJSON = []Case{
	{Name: "nothing", Make: text(""), Want: invalid},
	{Name: "null", Make: text("null"), Want: invalid},
	{Name: "a number", Make: text("7"), Want: invalid},
	{Name: "cut", Make: text(`{"v":1,"where":{"and":[`), Want: invalid},
	{Name: "text behind it", Make: text(`{"v":1} {"v":1}`), Want: invalid},
	{Name: "a version of the future", Make: text(`{"v":99}`), Want: invalid},
	{Name: "an unknown member", Make: text(`{"v":1,"wher":{}}`), Want: invalid},
	{Name: "a member twice", Make: text(`{"v":1,"limit":1,"limit":2}`), Want: invalid},
	{Name: "NOT a hundred thousand deep", Make: join(text(`{"v":1,"where":`), around(`{"not":`, 100_000, `{"path":"a","op":"=","value":1}`, "}"), text("}")), Want: invalid},
	{Name: "arrays a million deep", Make: times("[", mib), Want: invalid},
	{Name: "a value 65 deep", Make: join(text(`{"v":1,"where":{"path":"a","op":"=","value":`), around("[", 65, "", "]"), text("}}")), Want: invalid},
	{Name: "an operator that is none", Make: text(`{"v":1,"where":{"path":"a","op":"~~","value":1}}`), Want: invalid},
	{Name: "an operator of the wrong type", Make: text(`{"v":1,"where":{"path":"a","op":7,"value":1}}`), Want: invalid},
	{Name: "a path that is none", Make: text(`{"v":1,"where":{"path":"a[","op":"=","value":1}}`), Want: invalid},
	{Name: "a value too many", Make: text(`{"v":1,"where":{"path":"a","op":"=","value":1,"values":[1]}}`), Want: invalid},
	{Name: "no value", Make: text(`{"v":1,"where":{"path":"a","op":"="}}`), Want: invalid},
	{Name: "a limit below zero", Make: text(`{"v":1,"limit":-1}`), Want: invalid},
	{Name: "a limit of a half", Make: text(`{"v":1,"limit":0.5}`), Want: invalid},
	{Name: "a limit beyond int64", Make: text(`{"v":1,"limit":1e99}`), Want: invalid},
	{Name: "an offset that is text", Make: text(`{"v":1,"offset":"1; DROP TABLE x"}`), Want: invalid},
	{Name: "a bad time", Make: text(`{"v":1,"where":{"path":"a","op":"=","value":{"$time":"x"}}}`), Want: invalid},
	{Name: "bad bytes", Make: text(`{"v":1,"where":{"path":"a","op":"=","value":{"$bytes":"*"}}}`), Want: invalid},
	{Name: "a NUL", Make: text(`{"v":1,"where":{"path":"a","op":"=","value":"\u0000"}}`), Want: invalid},
	{Name: "half a surrogate", Make: text(`{"v":1,"where":{"path":"a","op":"=","value":"\ud83d"}}`), Want: invalid},
	{Name: "two mebibytes", Make: join(text(`{"v":1,"where":{"path":"a","op":"=","value":"`), times("x", 2*mib), text(`"}}`)), Answer: "a query"},
}

// Tokens continue a query at a page: none of them is one that was handed out.
var Tokens = []Case{
	{Name: "a word", Make: text("x"), Want: invalid},
	{Name: "no base64", Make: text("***"), Want: invalid},
	{Name: "short", Make: text("AQ"), Want: invalid},
	{Name: "zeroes", Make: times("A", 64), Want: invalid},
	{Name: "ones", Make: times("_", 64), Want: invalid},
	{Name: "a length of 16 EiB", Make: text("AQH__________wE"), Want: invalid},
	{Name: "two mebibytes", Make: times("A", 2*mib), Want: invalid},
	{Name: "SQL", Make: text("' OR 1=1 --"), Want: invalid},
	{Name: "a NUL", Make: text("\x00"), Want: invalid},
}

// Binary are records as they are spooled and cached.
var Binary = []Case{
	{Name: "nothing", Make: text(""), Want: lost},
	{Name: "an unknown tag", Make: text("\xff"), Want: lost},
	{Name: "a string of 16 EiB", Make: text("\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Want: lost},
	{Name: "an array of 16 EiB", Make: text("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Want: lost},
	{Name: "an object of 4 billion fields", Make: text("\x09\xff\xff\xff\xff\x0f"), Want: lost},
	{Name: "a length that overflows", Make: text("\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), Want: lost},
	{Name: "arrays without end", Make: times("\x08\x01", 100_000), Want: lost},
	{Name: "objects without end", Make: times("\x09\x01\x01a", 100_000), Want: lost},
	{Name: "cut in a float", Make: text("\x04\x00\x00"), Want: lost},
	{Name: "a string that is no UTF-8", Make: text("\x06\x02\xff\xfe"), Answer: "a value"},
}

// IDs are what records are to be called.
var IDs = []Case{
	{Name: "no UTF-8", Make: text("\xff\xfe"), Want: invalid},
	{Name: "a NUL", Make: text("a\x00b"), Want: invalid},
	{Name: "half a surrogate", Make: text("\xed\xa0\xbd"), Want: invalid},
	{Name: "513 bytes", Make: times("x", 513), Want: invalid},
	{Name: "a mebibyte", Make: times("x", mib), Want: invalid},
	{Name: "512 bytes", Make: times("x", 512), Answer: "the record"},
	{Name: "170 signs of three bytes", Make: times("語", 170), Answer: "the record"},
	{Name: "a dot", Make: text("."), Answer: "the record"},
	{Name: "two dots", Make: text(".."), Answer: "the record"},
	{Name: "a path upwards", Make: text("../../etc/passwd"), Answer: "the record"},
	{Name: "a path of Windows", Make: text(`..\..\con.txt`), Answer: "the record"},
	{Name: "slashes alone", Make: text("//"), Answer: "the record"},
	{Name: "a blank", Make: text(" "), Answer: "the record"},
	{Name: "a line break", Make: text("a\r\nb"), Answer: "the record"},
	{Name: "a header", Make: text("a\r\nX-Evil: 1\r\n\r\n"), Answer: "the record"},
	{Name: "a query string", Make: text("a?versionId=1&x#y"), Answer: "the record"},
	{Name: "percent signs", Make: text("%2e%2e%2f%00%"), Answer: "the record"},
	{Name: "a dash first", Make: text("--help"), Answer: "the record"},
	{Name: "SQL", Make: text(`'; DROP TABLE records; --`), Answer: "the record"},
	{Name: "quotes", Make: text("\"'`"), Answer: "the record"},
	{Name: "JSON", Make: text(`"},{"delete":{"_id":"x"}}`), Answer: "the record"},
	{Name: "XML", Make: text("</Key><Key>&lt;![CDATA["), Answer: "the record"},
	{Name: "a pattern", Make: text("*?[a-z]%_"), Answer: "the record"},
	{Name: "a reversed name", Make: text("\u202egnp.exe"), Answer: "the record"},
	{Name: "two that look alike: é", Make: text("e\u0301"), Answer: "the record"},
	{Name: "upper case", Make: text("ID"), Answer: "the record"},
	{Name: "a system name", Make: text("_id"), Answer: "the record"},
	{Name: "a byte order mark", Make: text("\ufeff"), Answer: "the record"},
	{Name: "control characters", Make: text("\x01\x1f\x7f\u0085\u2028"), Answer: "the record"},
	{Name: "emoji", Make: text("👩‍👩‍👧‍👦"), Answer: "the record"},
}

// Names are what fields are to be called.
var Names = []Case{
	{Name: "nothing", Make: text(""), Want: invalid},
	{Name: "no UTF-8", Make: text("\xff\xfe"), Want: invalid},
	{Name: "a NUL", Make: text("a\x00b"), Want: invalid},
	{Name: "256 bytes", Make: times("x", 256), Want: invalid},
	{Name: "a mebibyte", Make: times("x", mib), Want: invalid},
	{Name: "a system name", Make: text("_id"), Want: invalid},
	{Name: "a system name for later", Make: text("_created"), Want: invalid},
	{Name: "255 bytes", Make: times("x", 255), Answer: "the field"},
	{Name: "85 signs of three bytes", Make: times("語", 85), Answer: "the field"},
	{Name: "a dot", Make: text("a.b"), Answer: "the field"},
	{Name: "dots alone", Make: text("..."), Answer: "the field"},
	{Name: "a blank", Make: text(" "), Answer: "the field"},
	{Name: "SQL", Make: text(`a'"; DROP TABLE records; --`), Answer: "the field"},
	{Name: "a cast of SQL", Make: text("a'::jsonb ? 'b"), Answer: "the field"},
	{Name: "backticks", Make: text("``"), Answer: "the field"},
	{Name: "a backslash", Make: text(`\`), Answer: "the field"},
	{Name: "brackets", Make: text("a[0]"), Answer: "the field"},
	{Name: "JSON", Make: text(`"}, "x": {"`), Answer: "the field"},
	{Name: "a path of JSON", Make: text(`$.a[*]`), Answer: "the field"},
	{Name: "a tag of ours", Make: text("$time"), Answer: "the field"},
	{Name: "a part of a document of ours", Make: text("_dk"), Answer: "the field"},
	{Name: "a star", Make: text("*"), Answer: "the field"},
	{Name: "a prototype", Make: text("__proto__"), Answer: "the field"},
	{Name: "a word of SQL", Make: text("select"), Answer: "the field"},
	{Name: "a column of ours", Make: text("fields"), Answer: "the field"},
	{Name: "a line break", Make: text("a\nb"), Answer: "the field"},
	{Name: "a comma and a quote", Make: text(`a,"b`), Answer: "the field"},
	{Name: "a byte order mark", Make: text("\ufeffa"), Answer: "the field"},
	{Name: "a reversed name", Make: text("\u202ea"), Answer: "the field"},
	{Name: "control characters", Make: text("\x01\x1f\x7f"), Answer: "the field"},
}

// Texts are seeds for what takes any text as a value, such as a password.
func Texts() []string {
	var all []string
	for _, s := range Seeds(IDs, Names) {
		if !strings.ContainsRune(s, 0) {
			all = append(all, s)
		}
	}
	return all
}
