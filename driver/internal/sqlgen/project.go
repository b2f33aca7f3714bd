package sqlgen

import "dataknobs.dev/dataknobs"

// project chooses the result's columns.
func (s *selection) project(scan *dataknobs.Scan) error {
	paths := scan.Paths
	if s.t.Rev.Kind == RevHash && !scan.NoRevision {
		paths = nil // the hash is of everything
	}
	if s.t.ID != "" && !scan.NoID {
		q, err := s.column(s.t.ID)
		if err != nil {
			return err
		}
		s.add(q, Output{Is: OutID})
	}
	if err := s.addColumns(paths, !scan.NoID); err != nil {
		return err
	}
	if err := s.addExtra(paths); err != nil {
		return err
	}
	if !scan.NoRevision {
		if err := s.addRevision(); err != nil {
			return err
		}
	}
	if len(s.list) == 0 { // nobody will look at anything
		s.add("0", Output{Is: OutNothing})
	}
	return nil
}

// wants reports whether a top-level field is among the paths.
func wants(paths []dataknobs.Path, name string) bool {
	if paths == nil {
		return true
	}
	for _, p := range paths {
		if len(p) > 0 && p[0].Name == name {
			return true
		}
	}
	return false
}

func (s *selection) addColumns(paths []dataknobs.Path, key bool) error {
	for i := range s.t.Columns {
		c := &s.t.Columns[i]
		if !wants(paths, c.Name) && !(key && s.t.inKey(i)) {
			continue
		}
		q, err := s.column(c.Name)
		if err != nil {
			return err
		}
		if c.Type == Other && !s.lite() {
			q += "::text"
		}
		s.add(q, Output{Is: OutColumn, Column: i})
	}
	return nil
}

func (t *Table) inKey(column int) bool {
	for _, k := range t.Key {
		if k == column {
			return true
		}
	}
	return false
}

// addExtra adds the JSON of the other fields, whole or by names, and of the
// metadata.
func (s *selection) addExtra(paths []dataknobs.Path) error {
	if s.t.Extra != "" {
		q, err := s.column(s.t.Extra)
		if err != nil {
			return err
		}
		names, ok := s.t.extraNames(paths)
		switch {
		case paths == nil || ok && len(names) > 0 && (s.lite() || len(names) > maxFields) || !ok:
			s.add(q, Output{Is: OutExtra, Names: names})
		default:
			for _, name := range names {
				lit, err := Literal(Postgres, escapeName(name))
				if err != nil {
					return err
				}
				s.add(q+" -> "+lit, Output{Is: OutField, Name: name})
			}
		}
	}
	if s.t.Meta != "" && wants(paths, dataknobs.PathMetadata[0].Name) {
		q, err := s.column(s.t.Meta)
		if err != nil {
			return err
		}
		s.add(q, Output{Is: OutMeta})
	}
	return nil
}

// extraNames returns the top-level fields among paths that are in the Extra
// column; false if one of them cannot be said in SQL.
func (t *Table) extraNames(paths []dataknobs.Path) ([]string, bool) {
	var names []string
	seen := map[string]bool{}
	ok := true
	for _, p := range paths {
		if len(p) == 0 || p.IsSystem() || t.find(p[0].Name) != nil || seen[p[0].Name] {
			continue
		}
		seen[p[0].Name] = true
		names = append(names, p[0].Name)
		ok = ok && sayable(p[0].Name)
	}
	return names, ok
}

// addRevision adds the columns that the revision is made of.
func (s *selection) addRevision() error {
	switch s.t.Rev.Kind {
	case RevColumn, RevDocument:
		q, err := s.column(s.t.Rev.Column)
		if err != nil {
			return err
		}
		if s.t.Rev.Kind == RevColumn && !s.lite() {
			q += "::text"
		}
		s.add(q, Output{Is: OutRev})
	}
	if s.t.Rev.Kind == RevSystem || s.t.Rev.Kind == RevDocument && !s.lite() && !s.t.View {
		s.add("xmin::text", Output{Is: OutRev})
	}
	if s.t.Rev.Kind == RevSystem {
		s.add("ctid::text", Output{Is: OutRev})
	}
	return nil
}
