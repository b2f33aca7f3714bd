package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// More bounds, of a whole configuration.
const (
	maxSecret = 64 << 10 // bytes of a secret file
	maxTotal  = 16 << 20 // bytes of all texts that substitution makes
	maxChain  = 100      // references to references
)

// A resolver replaces the substitutions of a tree.
type resolver struct {
	root   *Node
	env    map[string]string
	memo   map[string]resolved // by path
	busy   []string            // paths that are being resolved
	bytes  int                 // of the texts made so far
	secret map[string]string   // read already: path → content
}

type resolved struct {
	node   *Node // nil if it could not be made
	faults Faults
}

func newResolver(root *Node, env map[string]string) *resolver {
	return &resolver{root: root, env: env, memo: map[string]resolved{}, secret: map[string]string{}}
}

// value resolves the node at a path, once.
func (r *resolver) value(path string, n *Node) (*Node, Faults) {
	if done, ok := r.memo[path]; ok {
		return done.node, done.faults
	}
	if i := slices.Index(r.busy, path); i >= 0 {
		circle := append(slices.Clone(r.busy[i:]), path)
		return nil, Faults{fault(n.place, path, "the settings refer to each other in a circle: %s", strings.Join(circle, " → "))}
	}
	if len(r.busy) >= maxChain {
		return nil, Faults{fault(n.place, path, "settings refer to each other more than %d deep", maxChain)}
	}
	r.busy = append(r.busy, path)
	node, faults := r.resolve(path, n)
	r.busy = r.busy[:len(r.busy)-1]
	r.memo[path] = resolved{node, faults}
	return node, faults
}

func (r *resolver) resolve(path string, n *Node) (*Node, Faults) {
	switch n.kind {
	case Text:
		return r.text(path, n)
	case List, Map:
		return r.children(path, n)
	}
	return n, nil
}

func (r *resolver) children(path string, n *Node) (*Node, Faults) {
	var faults Faults
	var keys []string
	items := make([]*Node, 0, len(n.items))
	for i, item := range n.items {
		key := strconv.Itoa(i)
		if n.kind == Map {
			key = n.keys[i]
		}
		v, fs := r.value(under(path, key), item)
		for _, f := range fs {
			faults.add(f)
		}
		if v == nil {
			continue
		}
		if n.kind == Map {
			keys = append(keys, key)
		}
		items = append(items, v)
	}
	made := listOf(n.place, items)
	if n.kind == Map {
		made = mapOf(n.place, keys, items)
	}
	if made.size > maxNodes {
		return nil, append(faults, fault(n.place, path, "references make more than %d values of it", maxNodes))
	}
	return made, faults
}

// text resolves a text. One that is a single substitution becomes what that
// stands for, also a list or a map.
func (r *resolver) text(path string, n *Node) (*Node, Faults) {
	if n.exact || plain(n.text) {
		return n, nil
	}
	parts, err := parseText(n.text)
	if err != nil {
		return nil, Faults{fault(n.place, path, "%w", err)}
	}
	e := &expansion{r: r, path: path, from: n}
	e.out.kind, e.out.place, e.out.size, e.out.exact = Text, n.place, 1, true
	if len(parts) == 1 && parts[0].ref != "" {
		if whole := e.whole(&parts[0]); whole != nil || len(e.faults) > 0 {
			return whole, e.faults
		}
	}
	text := e.expand(parts)
	if len(e.faults) > 0 {
		return nil, e.faults
	}
	if r.bytes += len(text); len(text) > maxText || r.bytes > maxTotal {
		return nil, Faults{fault(n.place, path, "substitution makes too much text")}
	}
	e.out.text = text
	return &e.out, nil
}

// An expansion makes one text.
type expansion struct {
	r      *resolver
	path   string
	from   *Node
	out    Node
	faults Faults
}

func (e *expansion) expand(parts []part) string {
	var b strings.Builder
	for i := range parts {
		p := &parts[i]
		switch {
		case p.literal():
			b.WriteString(p.text)
		case p.isFile:
			b.WriteString(e.file(p))
		case p.variable != "":
			b.WriteString(e.variable(p))
		default:
			b.WriteString(e.ref(p))
		}
		if len(e.faults) > 0 {
			return ""
		}
		if b.Len() > maxText {
			e.fail("substitution makes a text of more than %d bytes", maxText)
			return ""
		}
	}
	return b.String()
}

func (e *expansion) fail(format string, args ...any) {
	e.faults.addf(e.from.place, e.path, format, args...)
}

func (e *expansion) variable(p *part) string {
	text, set := e.r.env[p.variable]
	e.out.vars = append(e.out.vars, p.variable)
	switch {
	case set && (text != "" || !p.orEmpty):
		return e.checked(p, text)
	case p.has:
		return e.expand(p.fallback)
	}
	e.faults.add(fault(e.from.place, e.path, "the variable %s is not set", p.variable).
		hinted("set it, or give a default: ${" + p.variable + ":default}").lately())
	return ""
}

// checked refuses a text that no setting can be, without showing it.
func (e *expansion) checked(p *part, text string) string {
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		e.faults.add(fault(e.from.place, e.path, "what %s stands for is not text", p.written).lately())
		return ""
	}
	return text
}

// target resolves what a reference names; nil, without a fault, if there is no
// such setting.
func (e *expansion) target(p *part) *Node {
	n, path := find(e.r.root, p.ref)
	if n == nil || n.kind == Null {
		return nil
	}
	e.out.refs = append(e.out.refs, path)
	v, faults := e.r.value(path, n)
	if v == nil && len(faults) == 0 {
		return nil
	}
	e.faults = append(e.faults, faults...)
	if v != nil {
		e.out.secret = e.out.secret || v.secret || isSecret(path)
		e.out.refs = append(e.out.refs, v.refs...)
	}
	return v
}

// whole resolves a text that is one reference and nothing else; nil, without a
// fault, if its default is wanted.
func (e *expansion) whole(p *part) *Node {
	v := e.target(p)
	if len(e.faults) > 0 {
		return nil
	}
	if v == nil || v.isScalar() && v.text == "" && p.orEmpty {
		if !p.has {
			e.missing(p)
		}
		return nil
	}
	made := *v
	made.place, made.exact = e.from.place, true
	made.refs, made.secret = e.out.refs, e.out.secret
	return &made
}

func (e *expansion) ref(p *part) string {
	v := e.target(p)
	switch {
	case len(e.faults) > 0:
		return ""
	case v == nil || v.isScalar() && v.text == "" && p.orEmpty:
		if p.has {
			return e.expand(p.fallback)
		}
		e.missing(p)
		return ""
	case !v.isScalar():
		e.fail("%s is %v, which cannot stand inside a text", p.written, v.kind)
		return ""
	}
	e.out.vars = append(e.out.vars, v.vars...)
	return v.text
}

func (e *expansion) missing(p *part) {
	hint := didYouMean(p.ref, e.r.near(p.ref))
	if hint == "" {
		hint = "a name with dots is a setting; a variable has none"
	}
	e.faults.add(fault(e.from.place, e.path, "there is no setting %s", p.ref).hinted(hint))
}

// near lists the settings beside the one that a reference was to name.
func (r *resolver) near(ref string) []string {
	var paths []string
	for dir := ref; dir != ""; {
		i := strings.LastIndexByte(dir, '.')
		dir = dir[:max(i, 0)]
		n := r.root
		if dir != "" {
			n, _ = find(r.root, dir)
		}
		if n == nil || n.kind != Map {
			continue
		}
		rest := strings.TrimPrefix(ref[len(dir):], ".")
		_, tail, more := strings.Cut(rest, ".")
		for _, k := range n.keys {
			p := under(dir, k)
			if more {
				p = under(p, tail)
			}
			paths = append(paths, p)
		}
		break
	}
	return paths
}

// file reads a secret.
func (e *expansion) file(p *part) string {
	path := e.expand(p.file)
	if len(e.faults) > 0 {
		return ""
	}
	if path == "" {
		e.fail("${file:…} names no file")
		return ""
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(e.from.place.dir(), path)
	}
	e.out.secret = true
	e.out.files = append(e.out.files, path)
	text, ok := e.r.secret[path]
	if !ok {
		var err error
		if text, err = readSecret(path); err != nil {
			e.faults.add((&Fault{Place: e.from.place, Setting: e.path, Err: err}).lately())
			return ""
		}
		e.r.secret[path] = text
	}
	return e.checked(p, text)
}

// readSecret reads a secret file, without the line feed at its end.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", secretError(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", secretError(path, err)
	}
	if len(data) > maxSecret {
		return "", dataknobs.Errorf(dataknobs.InvalidArgument, "the secret file %s has more than %d bytes", path, maxSecret)
	}
	text := strings.TrimSuffix(string(data), "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

func secretError(path string, err error) error {
	e := fileError(path, err)
	return dataknobs.Errorf(dataknobs.InvalidArgument, "cannot read the secret file %s: %s", path, cause(e))
}

// cause is the text of the innermost error.
func cause(err error) string {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err.Error()
		}
		err = u.Unwrap()
	}
}

// find returns the setting of a dotted path, and the path as it is written in
// the tree. A key may hold dots itself: the shortest that leads on is taken.
func find(n *Node, path string) (*Node, string) {
	words := strings.Split(path, ".")
	if len(words) > maxDepth {
		return nil, ""
	}
	return findWords(n, words, "")
}

func findWords(n *Node, words []string, at string) (*Node, string) {
	if len(words) == 0 {
		return n, at
	}
	for i := 1; i <= len(words); i++ {
		key := strings.Join(words[:i], ".")
		if child, path := step(n, key); child != nil {
			if found, p := findWords(child, words[i:], under(at, path)); found != nil {
				return found, p
			}
		}
	}
	return nil, ""
}

// step returns what a key of a map, or the name or number of an item of a
// list, stands for.
func step(n *Node, key string) (*Node, string) {
	switch n.kind {
	case Map:
		return n.Get(key), key
	case List:
		for i, item := range n.items {
			if name := item.Get(keyName); name != nil && name.text == key || key == strconv.Itoa(i) {
				return item, fmt.Sprint(i)
			}
		}
	}
	return nil, ""
}
