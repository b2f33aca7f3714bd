package sqlgen

// skip passes over a value without reading it.
func (d *Decoder) skip() {
	switch c := d.next(); c {
	case '"':
		d.skipString()
	case '{', '[':
		d.skipNested()
	default:
		start := d.at
		for d.at < len(d.b) && d.b[d.at] != ',' && d.b[d.at] != '}' && d.b[d.at] != ']' && d.b[d.at] > ' ' {
			d.at++
		}
		if d.at == start {
			d.fail("expected a value")
		}
	}
}

func (d *Decoder) skipString() {
	for i := d.at + 1; i < len(d.b); i++ {
		switch d.b[i] {
		case '\\':
			i++
		case '"':
			d.at = i + 1
			return
		}
	}
	d.fail("a string does not end")
}

func (d *Decoder) skipNested() {
	depth := 0
	for d.at < len(d.b) {
		switch d.b[d.at] {
		case '"':
			if d.skipString(); d.failed != "" {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				d.at++
				return
			}
		}
		d.at++
	}
	d.fail("it ends too early")
}
