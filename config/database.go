package config

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A store is the settings of one store, checked.
type store struct {
	name     string
	place    Place
	node     *Node // resolved
	backend  *dataknobs.Backend
	url      string
	params   map[string]string
	readOnly bool
	layers   []layerUse // outermost first
	secrets  []string   // paths of the settings that nobody may see
	lacking  []lack
	faults   Faults
}

// compileStore checks what the configuration says about a store.
func compileStore(r *resolver, name string, raw *Node) *store {
	s := &store{name: name, place: raw.place, params: map[string]string{}}
	path := under(databases, name)
	s.node, s.faults = r.value(path, raw)
	if s.node == nil {
		return s
	}
	if s.node.kind != Map {
		s.faults.addf(raw.place, path, "a store is a map of settings, not %v", raw.kind)
		return s
	}
	if s.kind(path); s.backend == nil {
		return s
	}
	for key, v := range s.node.Keys() {
		s.setting(under(path, key), key, v)
	}
	s.required(path)
	return s
}

// kind finds out the backend.
func (s *store) kind(path string) {
	b, u := s.node.Get(keyBackend), s.node.Get(keyURL)
	for key, n := range map[string]*Node{keyBackend: b, keyURL: u} {
		if n != nil && !n.isScalar() {
			s.faults.addf(n.place, under(path, key), "a text, not %v", n.kind)
			return
		}
	}
	if u != nil {
		s.url = u.text
	}
	if (b == nil || b.text == "") && s.url == "" {
		if len(s.faults) == 0 { // else it may be what is at fault
			s.faults.add(fault(s.place, path, "the store has neither a backend nor a url").
				hinted("backend: " + strings.Join(backendNames(), ", backend: ")))
		}
		return
	}
	named, at := schemeOf(s.url), u
	if b != nil && b.text != "" {
		named, at = b.text, b
	}
	backend, err := dataknobs.LookupBackend(named)
	if err != nil {
		s.faults.add((&Fault{Place: at.place, Setting: under(path, keyBackend), Err: err}).lately())
		return
	}
	if s.url != "" && b != nil && b.text != "" && schemeOf(s.url) != "" {
		if other, err := dataknobs.LookupBackend(schemeOf(s.url)); err != nil || other != backend {
			s.faults.addf(u.place, under(path, keyURL), "the url is not one of the backend %s", backend.Name)
			return
		}
	}
	s.backend = backend
}

func backendNames() []string {
	var names []string
	for _, b := range dataknobs.Backends() {
		names = append(names, b.Name)
	}
	return names
}

// setting takes one key of a store.
func (s *store) setting(path, key string, v *Node) {
	switch key {
	case keyName, keyBackend, keyURL:
		return
	case keyLayers:
		s.readLayers(path, v)
		return
	case keyRead:
		s.readReadOnly(path, v)
	}
	o := optionOf(s.backend.Options, key)
	switch {
	case o == nil && key != keyRead:
		s.faults.add(s.unknown(path, key, v))
	case o != nil:
		if text, ok := s.text(path, o, v); ok {
			s.params[key] = text
		}
	}
}

func optionOf(options []dataknobs.OptionInfo, name string) *dataknobs.OptionInfo {
	i := slices.IndexFunc(options, func(o dataknobs.OptionInfo) bool { return o.Name == name })
	if i < 0 {
		return nil
	}
	return &options[i]
}

func (s *store) unknown(path, key string, v *Node) *Fault {
	var names []string
	for _, o := range s.backend.Options {
		names = append(names, o.Name)
	}
	f := fault(v.place, path, "a store of the backend %s has no setting %q", s.backend.Name, key)
	if hint := didYouMean(key, append(slices.Clone(storeKeys), names...)); hint != "" {
		return f.hinted(hint)
	}
	return f.hinted("dk backends " + s.backend.Name + " lists its settings")
}

// text makes of a value the text of an option, and checks it; false if there
// is none.
func (s *store) text(path string, o *dataknobs.OptionInfo, v *Node) (string, bool) {
	if o.Secret || v.secret {
		s.secrets = append(append(s.secrets, path), v.refs...)
	}
	text, ok, err := optionText(s.backend.Name, o, v)
	if err != nil {
		s.faults.add(&Fault{Place: v.place, Setting: path, Err: err})
		return "", false
	}
	if ok && o.Location {
		text = fromFolder(text, v)
	}
	return text, ok
}

// optionText makes of a value the text of an option, and checks it. A text that
// substitution left empty is none, and neither is null.
func optionText(whose string, o *dataknobs.OptionInfo, v *Node) (string, bool, error) {
	text, err := joined(o, v)
	switch {
	case err != nil:
		return "", false, err
	case v.kind == Null || text == "" && len(v.vars)+len(v.refs)+len(v.files) > 0 || text == "" && v.place.Variable != "":
		return "", false, nil
	}
	return text, true, checkOption(whose, o, v, text)
}

// checkOption checks a text by the rule of the option. Where the text may not
// be shown or comes from elsewhere, the error says that in its place.
func checkOption(whose string, o *dataknobs.OptionInfo, v *Node, text string) error {
	shown := *o
	shown.Secret = o.Secret || v.secret
	shown.Required, shown.Location = false, false
	b := &dataknobs.Backend{Name: whose, Options: []dataknobs.OptionInfo{shown}}
	_, err := dataknobs.NewConfig(b, "", map[string]string{o.Name: text}, nil)
	if err == nil {
		return nil
	}
	hint := "the setting is of the type " + o.Kind.String()
	if e, ok := err.(*dataknobs.Error); ok && e.Hint != "" {
		hint += "; " + e.Hint
	}
	if len(v.vars) > 0 {
		hint += "; the value comes from $" + strings.Join(v.vars, ", $")
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "%w", err).WithHint("%s", hint)
}

// joined is the value as one text: items with commas between them, pairs with
// colons.
func joined(o *dataknobs.OptionInfo, v *Node) (string, error) {
	switch {
	case v.isScalar() || v.kind == Null:
		return v.text, nil
	case v.kind == List && (o.Kind == dataknobs.OptionList || o.Kind == dataknobs.OptionInts):
		var words []string
		for item := range v.Items() {
			if !item.isScalar() {
				return "", dataknobs.Errorf(dataknobs.InvalidArgument, "item %d of the list is %v, not a text", len(words), item.kind)
			}
			words = append(words, escaped(item.text))
		}
		return strings.Join(words, ","), nil
	case v.kind == Map && o.Kind == dataknobs.OptionMap:
		var pairs []string
		for k, item := range v.Keys() {
			if !item.isScalar() {
				return "", dataknobs.Errorf(dataknobs.InvalidArgument, "%s is %v, not a text", k, item.kind)
			}
			pairs = append(pairs, escaped(k)+":"+escaped(item.text))
		}
		return strings.Join(pairs, ","), nil
	}
	return "", dataknobs.Errorf(dataknobs.InvalidArgument, "the setting is of the type %v, not %v", o.Kind, v.kind)
}

var escaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `:`, `\:`)

// escaped is a text as an item of a list or a map.
func escaped(text string) string { return escaper.Replace(text) }

// fromFolder makes a relative path that a file says start from the folder of
// that file; the text is that of a location.
func fromFolder(text string, v *Node) string {
	dir := v.place.dir()
	if dir == "" || dir == "." || filepath.IsAbs(text) || text == "-" || strings.HasPrefix(text, ":") {
		return text
	}
	return filepath.Join(dir, text)
}

func (s *store) readReadOnly(path string, v *Node) {
	o := &dataknobs.OptionInfo{Name: keyRead, Kind: dataknobs.OptionBool}
	text, ok, err := optionText(s.backend.Name, o, v)
	switch {
	case err != nil:
		if optionOf(s.backend.Options, keyRead) == nil {
			s.faults.add(&Fault{Place: v.place, Setting: path, Err: err})
		}
	case ok:
		s.readOnly = truth(text)
	}
}

// truth reads the text of a truth value that has been checked.
func truth(text string) bool {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// required notes what is missing without which the store cannot be opened. A
// store that only others extend may well lack it.
func (s *store) required(path string) {
	for _, o := range s.backend.Options {
		if o.Required && s.params[o.Name] == "" && s.url == "" {
			f := fault(s.place, path, "the setting %s is missing", o.Name).hinted(o.Name + ": " + o.Doc)
			s.lacking = append(s.lacking, lack{o.Name, f.lately()})
		}
	}
}

// A lack is a setting that a store needs and does not have.
type lack struct {
	option string
	fault  *Fault
}

// lacks says what is missing when those settings are given in addition.
func (s *store) lacks(params map[string]string) error {
	var fs Faults
	for _, l := range s.lacking {
		if params[l.option] == "" {
			fs.add(l.fault)
		}
	}
	return fs.err()
}

// location is the text that names the store to dataknobs.Open.
func (s *store) location() string { return cmp.Or(s.url, s.backend.Name+":") }

// print tells two settings of a store apart.
func (s *store) print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %t", s.backend.Name, s.url, s.readOnly)
	for _, k := range slices.Sorted(maps.Keys(s.params)) {
		b.WriteString(" " + strconv.Quote(k) + "=" + strconv.Quote(s.params[k]))
	}
	for _, l := range s.layers {
		b.WriteString(" " + l.kind.Name)
		for _, k := range slices.Sorted(maps.Keys(l.texts)) {
			b.WriteString(" " + strconv.Quote(k) + "=" + strconv.Quote(l.texts[k]))
		}
	}
	return b.String()
}
