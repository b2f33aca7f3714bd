package config

import (
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/layer"
)

// A Setting is one value of a configuration, as it may be shown to anyone.
type Setting struct {
	Path  string // such as databases.main.port
	Text  string // *** for a secret; "" where Fault says why there is none
	Kind  Kind
	Place Place    // where it is written
	Vars  []string // the variables that its value comes from
	Files []string // the secret files
	// Secret: Text hides something.
	Secret bool
	// Fault says why there is no value.
	Fault string
}

// From words where the value comes from: dk.yaml:7:11, dk.yaml:7:11 $DB_PORT.
func (s Setting) From() string {
	from := []string{s.Place.String()}
	for _, v := range s.Vars {
		from = append(from, "$"+v)
	}
	from = append(from, s.Files...)
	return strings.Join(slices.Compact(from), " ")
}

const hidden = "***"

// Settings lists all values in the order in which they are written, with what
// stores inherit, after substitution. Secrets are hidden: options that their backend calls
// secret, what comes from secret files, passwords in URLs, and outside of
// databases whatever is called like a secret. With the names of stores it
// lists only theirs.
func (c *Config) Settings(stores ...string) []Setting {
	st := c.state()
	w := walker{s: st, secrets: map[string]bool{}}
	for _, s := range st.stores {
		for _, path := range s.secrets {
			w.secrets[path] = true
		}
	}
	if len(stores) == 0 {
		w.raw("", st.root)
	}
	for _, name := range stores {
		if n := st.root.Get(databases).Get(name); n != nil {
			w.raw(under(databases, name), n)
		}
	}
	return w.all
}

type walker struct {
	s       *state
	secrets map[string]bool
	all     []Setting
}

// raw walks the tree as it is written, and into what substitution made of it.
func (w *walker) raw(path string, n *Node) {
	if n.kind == Map || n.kind == List {
		w.each(path, n, w.raw)
		return
	}
	done, ok := w.s.resolver.memo[path]
	if !ok {
		done.node = n // a store's own name
	}
	if done.node == nil {
		s := Setting{Path: path, Place: n.place}
		if len(done.faults) > 0 {
			s.Fault = done.faults[0].Err.Error()
		}
		w.all = append(w.all, s)
		return
	}
	w.made(path, done.node)
}

func (w *walker) made(path string, n *Node) {
	if n.kind == Map || n.kind == List {
		w.each(path, n, w.made)
		return
	}
	if n.kind == Null {
		return
	}
	s := Setting{Path: path, Kind: n.kind, Place: n.place, Vars: n.vars, Files: n.files, Text: n.text}
	s.Text = hideIn(n.text)
	if n.secret || w.secrets[path] || isSecret(path) {
		s.Text = hidden
	}
	s.Secret = s.Text != n.text
	w.all = append(w.all, s)
}

func (w *walker) each(path string, n *Node, do func(string, *Node)) {
	for i, item := range n.items {
		key := strconv.Itoa(i)
		if n.kind == Map {
			key = n.keys[i]
		}
		do(under(path, key), item)
	}
}

var (
	userinfo   = regexp.MustCompile(`(//[^/@\s:]*):[^@\s]*@`)
	secretName = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|credential|api_?key|private_?key|dsn)`)
	secretPair = regexp.MustCompile(`(?i)\b([a-z_.]*(?:passw(?:or)?d|passphrase|secret|token|api_?key|private_?key)[a-z_]*=)[^&\s]+`)
)

// hideIn hides what is secret inside a text: the password of a URL, the
// options of a store that are.
func hideIn(text string) string {
	if strings.Contains(text, "//") {
		text = userinfo.ReplaceAllString(text, "$1:"+hidden+"@")
	}
	if strings.Contains(text, "=") {
		text = secretPair.ReplaceAllString(text, "${1}"+hidden)
	}
	return text
}

// isSecret reports whether the setting at a path is one that nobody may see:
// of a store by its options, elsewhere, where nothing says what is one, by
// its name.
func isSecret(path string) bool {
	rest, inStore := strings.CutPrefix(path, databases+".")
	if !inStore {
		last := path[strings.LastIndexByte(path, '.')+1:]
		return secretName.MatchString(last) && !strings.HasSuffix(last, "_file")
	}
	for _, b := range dataknobs.Backends() {
		if anySecret(b.Options, rest) {
			return true
		}
	}
	return slices.ContainsFunc(layer.Kinds(), func(k *layer.Kind) bool { return anySecret(k.Options, rest) })
}

// anySecret reports whether a path ends in one of the options that are secret.
func anySecret(options []dataknobs.OptionInfo, path string) bool {
	return slices.ContainsFunc(options, func(o dataknobs.OptionInfo) bool {
		return o.Secret && strings.HasSuffix(path, "."+o.Name)
	})
}

// WriteYAML writes the configuration as YAML after substitution, secrets
// hidden, with where each value comes from behind it; with names of stores only those. It is for people: what is
// hidden cannot be read back.
func (c *Config) WriteYAML(w io.Writer, stores ...string) error {
	var b strings.Builder
	var open []string
	for _, s := range c.Settings(stores...) {
		dirs, last := keysOf(c.state(), s.Path)
		same := 0
		for same < len(open) && same < len(dirs) && open[same] == dirs[same] {
			same++
		}
		for i := same; i < len(dirs); i++ {
			b.WriteString(strings.Repeat("  ", i) + yamlText(Setting{Text: dirs[i]}) + ":\n")
		}
		open = dirs
		b.WriteString(strings.Repeat("  ", len(dirs)) + yamlText(Setting{Text: last}) + ": " + yamlText(s))
		if s.Fault != "" {
			b.WriteString(" # " + oneLine(s.Fault) + ", " + s.From() + "\n")
			continue
		}
		b.WriteString(" # " + oneLine(s.From()) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// keysOf splits a path into its keys, some of which have dots.
func keysOf(s *state, path string) (dirs []string, last string) {
	n, words := s.root, strings.Split(path, ".")
	for len(words) > 1 {
		took := 0
		for i := 1; i <= len(words) && n != nil; i++ {
			if child, _ := step(n, strings.Join(words[:i], ".")); child != nil {
				took, n = i, child
				break
			}
		}
		if took == 0 || took == len(words) {
			break
		}
		dirs, words = append(dirs, strings.Join(words[:took], ".")), words[took:]
	}
	return dirs, strings.Join(words, ".")
}

var plainYAML = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)

// yamlText writes a scalar so that it reads back as what it is.
func yamlText(s Setting) string {
	switch {
	case s.Fault != "":
		return "null"
	case s.Kind == Number, s.Kind == Bool, plainYAML.MatchString(s.Text) && !yamlWord(s.Text):
		return s.Text
	}
	quoted, err := json.Marshal(s.Text) // JSON's texts are YAML's
	if err != nil {
		return `""`
	}
	return string(quoted)
}

func yamlWord(text string) bool {
	switch strings.ToLower(text) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return true
	}
	return false
}

// Backend returns the backend of a store; nil if the store is not there or its
// backend is not known.
func (c *Config) Backend(name string) *dataknobs.Backend {
	if s := c.state().stores[name]; s != nil {
		return s.backend
	}
	return nil
}

// Location returns the URL that names a store by itself, without its layers,
// and its options apart from those in the URL. The options may hold secrets.
func (c *Config) Location(name string) (url string, params map[string]string, err error) {
	s, err := c.state().store(name)
	if err != nil {
		return "", nil, err
	}
	params = map[string]string{}
	for k, v := range s.params {
		params[k] = v
	}
	return s.location(), params, nil
}
