package config

import (
	"strconv"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/layer"
)

// A layerUse is one layer of a store.
type layerUse struct {
	kind  *layer.Kind
	texts map[string]string
	path  string
	place Place
}

func layerNames() []string {
	var names []string
	for _, k := range layer.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

func layerOptions(name string) []dataknobs.OptionInfo {
	k, err := layer.Lookup(name)
	if err != nil {
		return nil
	}
	return k.Options
}

// readLayers reads the layers of a store: a map in its order, or a list whose
// items are names or maps with one key.
func (s *store) readLayers(path string, v *Node) {
	switch v.kind {
	case Null:
	case Map:
		for name, n := range v.Keys() {
			s.layer(under(path, name), name, n)
		}
	case List:
		i := 0
		for item := range v.Items() {
			s.layerItem(under(path, strconv.Itoa(i)), item)
			i++
		}
	default:
		s.layerItem(path, v) // layers: readonly
	}
}

func (s *store) layerItem(path string, item *Node) {
	switch {
	case item.isScalar():
		none := mapOf(item.place, nil, nil)
		s.layer(path, item.text, none)
	case item.kind == Map && len(item.keys) == 1:
		s.layer(under(path, item.keys[0]), item.keys[0], item.items[0])
	default:
		s.faults.addf(item.place, path, "a layer is a name, or a map with its name as the only key")
	}
}

// layer reads one layer: a map of its settings, or the text of its main one.
// false stands for a layer that is not wanted.
func (s *store) layer(path, name string, v *Node) {
	k, err := layer.Lookup(name)
	if err != nil {
		s.faults.add(&Fault{Place: v.place, Setting: path, Err: err})
		return
	}
	use := layerUse{kind: k, texts: map[string]string{}, path: path, place: v.place}
	switch {
	case v.kind == Null:
		return
	case v.kind == Bool && k.Main != "" && !mainIsBool(k):
		if truth(v.text) {
			s.layers = append(s.layers, use)
		}
		return
	case v.kind == Map:
		for key, n := range v.Keys() {
			s.layerSetting(under(path, key), key, n, &use)
		}
	default:
		s.layerSetting(path, k.Main, v, &use)
	}
	if len(s.faults) == 0 {
		if err := k.Check(use.texts); err != nil {
			s.faults.add(&Fault{Place: v.place, Setting: path, Err: err})
		}
	}
	s.layers = append(s.layers, use)
}

func mainIsBool(k *layer.Kind) bool {
	o := optionOf(k.Options, k.Main)
	return o != nil && o.Kind == dataknobs.OptionBool
}

func (s *store) layerSetting(path, key string, v *Node, use *layerUse) {
	o := optionOf(use.kind.Options, key)
	if o == nil {
		var names []string
		for _, o := range use.kind.Options {
			names = append(names, o.Name)
		}
		s.faults.add(fault(v.place, path, "the layer %s has no setting %q", use.kind.Name, key).hinted(didYouMean(key, names)))
		return
	}
	if o.Secret || v.secret {
		s.secrets = append(append(s.secrets, path), v.refs...)
	}
	text, ok, err := optionText(use.kind.Name, o, v)
	switch {
	case err != nil:
		s.faults.add(&Fault{Place: v.place, Setting: path, Err: err})
	case ok:
		use.texts[key] = text
	}
}

// wrap puts the layers around a driver: the first that is written outermost.
func (s *store) wrap(d dataknobs.Driver, env layer.Env) (dataknobs.Driver, error) {
	env.Name, env.System = s.name, s.backend.Name
	for i := len(s.layers) - 1; i >= 0; i-- {
		l := s.layers[i]
		over, err := l.kind.Wrap(d, l.texts, env)
		if err != nil {
			_ = d.Close() // the error says already that there is no store
			return nil, (&Fault{Place: l.place, Setting: l.path, Err: err})
		}
		d = over
	}
	return d, nil
}
