package hostile

import (
	"fmt"
	"strings"
)

// Configs are files of configuration.
var Configs = []Case{
	{Name: "deep lists", File: "dk.yaml", Make: join(text("a: "), times("[", 500_000)), Want: invalid},
	{Name: "deep maps", File: "dk.yaml", Make: times("{a: ", 200_000), Want: invalid},
	{Name: "deep blocks", File: "dk.yaml", Make: join(times("- ", 500_000), text("x")), Want: invalid},
	{Name: "aliases of aliases", File: "dk.yaml", Make: AliasBomb, Want: invalid},
	{Name: "an alias of itself", File: "dk.yaml", Make: text("a: &a [*a]"), Want: invalid},
	{Name: "an alias of nothing", File: "dk.yaml", Make: text("a: *b"), Want: invalid},
	{Name: "two documents", File: "dk.yaml", Make: text("a: 1\n---\nb: 2\n"), Want: invalid},
	{Name: "a key twice", File: "dk.yaml", Make: text("databases: {}\ndatabases: {}\n"), Want: invalid},
	{Name: "an object of Python", File: "dk.yaml", Make: text("a: !!python/object/apply:os.system ['true']"), Want: invalid},
	{Name: "a tab", File: "dk.yaml", Make: text("a:\n\t- b"), Want: invalid},
	{Name: "no UTF-8", File: "dk.yaml", Make: text("a: \xff\xfe"), Want: invalid},
	{Name: "a NUL", File: "dk.yaml", Make: text("a: x\x00y"), Want: invalid},
	{Name: "many keys", File: "dk.yaml", Make: manyFields(60_000, "k%d: v\n", "", "", ""), Want: invalid},
	{Name: "two mebibytes", File: "dk.yaml", Make: join(text("a: "), times("x", 2*mib)), Want: invalid},
	{Name: "references without end", File: "dk.yaml", Make: text("settings: {a: '${settings.b}', b: '${settings.a}'}"), Want: invalid},
	{Name: "references to references", File: "dk.yaml", Make: TextBomb, Want: invalid},
	{Name: "a reference that never ends", File: "dk.yaml", Make: text("settings: {a: '${'}"), Want: invalid},
	{Name: "a variable that is none", File: "dk.yaml", Make: text("settings: {a: '${NO_SUCH_VARIABLE}'}"), Want: invalid},
	{Name: "a file that is none", File: "dk.yaml", Make: text("settings: {a: '${file:../../../../no/such/file}'}"), Want: invalid},
	{Name: "a backend that is none", File: "dk.yaml", Make: text("databases: {a: {backend: orcale}}"), Want: invalid},
	{Name: "a backend that is a list", File: "dk.yaml", Make: text("databases: {a: {backend: [file]}}"), Want: invalid},
	{Name: "no backend", File: "dk.yaml", Make: text("databases: {a: {}}"), Want: invalid},
	{Name: "an option that is none", File: "dk.yaml", Make: text("databases: {a: {backend: memory, no_such_option: 1}}"), Want: invalid},
	{Name: "stores that extend each other", File: "dk.yaml", Make: text("databases: {a: {extends: b}, b: {extends: a}}"), Want: invalid},
	{Name: "a store that extends itself", File: "dk.yaml", Make: text("databases: {a: {extends: a}}"), Want: invalid},
	{Name: "deep JSON", File: "dk.json", Make: join(text(`{"a":`), times("[", 500_000)), Want: invalid},
	{Name: "cut JSON", File: "dk.json", Make: text(`{"databases": {"a": {"backend"`), Want: invalid},
	{Name: "a key twice in JSON", File: "dk.json", Make: text(`{"databases": {}, "databases": {}}`), Want: invalid},
	{Name: "text behind JSON", File: "dk.json", Make: text(`{} {}`), Want: invalid},
	{Name: "a list for a file", File: "dk.json", Make: text(`[]`), Want: invalid},
	{Name: "many values in JSON", File: "dk.json", Make: join(text(`{"a": [`), times("1,", 200_000), text("1]}")), Want: invalid},
	{Name: "deep TOML", File: "dk.toml", Make: join(text("a = "), times("[", 500_000)), Want: invalid},
	{Name: "deep tables", File: "dk.toml", Make: join(text("["), times("a.", 1000), text("a]\nb = 1")), Want: invalid},
	{Name: "a table twice", File: "dk.toml", Make: text("[databases.a]\nbackend='memory'\n[databases.a]\nbackend='memory'\n"), Want: invalid},
	{Name: "cut TOML", File: "dk.toml", Make: text("[databases.a\nbackend="), Want: invalid},
	{Name: "a string of TOML that never ends", File: "dk.toml", Make: text(`a = """x`), Want: invalid},
}

// URLs are names of stores. None of them may be opened, and no password in
// them may show.
var URLs = []Case{
	{Name: "nothing", Make: text(""), Want: invalid},
	{Name: "a scheme that is none", Make: text("orcale://me:hush@db/x"), Want: invalid},
	{Name: "a script", Make: text("javascript://%0aalert(1)"), Want: invalid},
	{Name: "an option that is none", Make: text("memory:?no_such_option=1"), Want: invalid},
	{Name: "an option twice", Make: text("x.csv?key=a&key=b"), Want: invalid},
	{Name: "an option without a value", Make: text("x.csv?header="), Want: invalid},
	{Name: "an option of the wrong type", Make: text("x.csv?header=perhaps"), Want: invalid},
	{Name: "a bad escape", Make: text("x.csv?key=%zz"), Answer: "the store x.csv"},
	{Name: "a bad escape in a password", Make: text("postgres://me:hush%zz@db/x"), Want: invalid},
	{Name: "a NUL", Make: text("memory:x\x00y"), Want: invalid},
	{Name: "a NUL in a file's name", Make: text("x\x00y.csv"), Want: invalid},
	{Name: "a line break in a host", Make: text("postgres://db\r\nX: y/app?table=t"), Want: invalid},
	{Name: "a port that is none", Make: text("postgres://db:99999999/app?table=t"), Want: invalid},
	{Name: "a host that never ends", Make: join(text("es+http://"), times("a.", 100_000), text("/x")), Want: invalid},
	{Name: "two mebibytes", Make: join(text("memory:?x="), times("x", 2*mib)), Want: invalid},
	{Name: "a bucket upwards", Make: text("s3://bucket/../other"), Want: invalid},
	{Name: "no bucket", Make: text("s3://"), Want: invalid},
	{Name: "an index that is none", Make: text("es+http://127.0.0.1:1/_all,*"), Want: invalid},
	{Name: "an index upwards", Make: text("es+http://127.0.0.1:1/../_cluster"), Want: invalid},
	{Name: "a table that is none", Make: text(`postgres://127.0.0.1:1/app?table="a`), Want: invalid},
	{Name: "a statement in a setting", Make: text("sqlite:x.db?journal=wal;drop table x"), Want: invalid},
	{Name: "a size below zero", Make: text("x.csv?fold=-1"), Want: invalid},
	{Name: "a size beyond int64", Make: text("x.csv?fold=99999999999999999999GiB"), Want: invalid},
	{Name: "a time that is none", Make: text("sqlite:x.db?busy_timeout=soon"), Want: invalid},
	{Name: "an ending that is none", Make: text("x.exe"), Want: invalid},
	{Name: "a device", Make: text("/dev/zero"), Want: invalid},
	{Name: "a file in a folder that is none", Make: text("no/such/folder/x.csv?create=never"), Want: notFound},
	{Name: "a pattern that is none", Make: text("[.csv"), Want: invalid},
}

// Substitutions are values of a configuration with references.
var Substitutions = []Case{
	{Name: "a reference that never ends", Make: text("${")},
	{Name: "references in references", Make: around("${A:-", 50, "x", "}")},
	{Name: "dollars", Make: times("$", 1000)},
	{Name: "a name with a line break", Make: text("${A\n}")},
	{Name: "a file upwards", Make: text("${A:../../x}")},
	{Name: "a byte order mark", Make: text("${\ufeffA}")},
}

// AliasBomb is a YAML file of 50 lists, each ten times the one before it.
func AliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 50; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

// TextBomb is a YAML file of 50 texts, each ten times the one before it.
func TextBomb() string {
	var b strings.Builder
	b.WriteString("settings:\n  a0: xxxxxxxxxx\n")
	for i := 1; i < 50; i++ {
		fmt.Fprintf(&b, "  a%d: '%s'\n", i, strings.Repeat(fmt.Sprintf("${settings.a%d}", i-1), 10))
	}
	return b.String()
}
