package sqlgen

import (
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// singleKey is the ID made of one key column, where its text can be compared
// as the column itself.
func (b *builder) singleKey() (subject, bool) {
	c := &b.t.Columns[b.t.Key[0]]
	q, err := b.column(c.Name)
	if err != nil {
		return nil, false
	}
	if c.Type == Text && (!b.lite() || c.Checked || c.ByteOrder) {
		return &textSubject{b: b, expr: q}, true
	}
	return nil, false
}

// idText returns the ID as SQL makes it of the key columns, or why it cannot.
func (b *builder) idText() (expr, why string) {
	if b.t.ID != "" {
		q, err := b.column(b.t.ID)
		if err != nil {
			return "", err.Error()
		}
		return q, ""
	}
	if len(b.t.Key) == 0 {
		return "", "records of this table have no IDs"
	}
	parts := make([]string, len(b.t.Key))
	for i, k := range b.t.Key {
		c := &b.t.Columns[k]
		q, err := b.column(c.Name)
		if err != nil {
			return "", err.Error()
		}
		part, quoted := b.keyPart(c, q)
		if part == "" {
			return "", "the text of the key column " + c.Name + " is not made in the database"
		}
		if quoted && len(b.t.Key) > 1 {
			part = "replace(replace(" + part + ", " + b.backslash() + ", " + b.backslash() + " || " + b.backslash() + "), ',', " + b.backslash() + " || ',')"
		}
		parts[i] = part
	}
	if len(parts) == 1 {
		return parts[0], ""
	}
	return "(" + strings.Join(parts, " || ',' || ") + ")", ""
}

func (b *builder) backslash() string {
	lit, _ := Literal(b.t.Dialect, `\`)
	return lit
}

// keyPart returns the text of one key column, and whether it may hold what
// needs a backslash; "" if SQL cannot make it.
func (b *builder) keyPart(c *Column, q string) (part string, quoted bool) {
	if b.lite() {
		return liteKeyPart(c, q)
	}
	switch c.Type {
	case Text:
		return q, true
	case Enum, Other:
		return "(" + q + "::text)", true
	case Int, UUID, Bool:
		return "(" + q + "::text)", false
	case Date:
		return "to_char(" + q + `, 'YYYY-MM-DD"T00:00:00Z"')`, false
	case Timestamp:
		return pgTimeKey(q), false
	case TimestampTZ:
		return pgTimeKey("(" + q + " AT TIME ZONE 'UTC')"), false
	}
	return "", false
}

func pgTimeKey(x string) string {
	return "(rtrim(rtrim(to_char(" + x + `, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z')`
}

func liteKeyPart(c *Column, q string) (string, bool) {
	switch c.Type {
	case Int, Text:
		if c.Type == Text && c.ByteOrder { // TEXT affinity lets no number in
			return q, true
		}
		// A float among them would be spelt as SQLite does; dk_id spells it as the contract does.
		if c.Checked {
			return "CAST(" + q + " AS TEXT)", c.Type == Text
		}
		return "dk_id(" + q + ")", true
	case Float, Numeric, Any, UUID, Enum, Other:
		return "dk_id(" + q + ")", true
	case Bool:
		if c.Checked {
			return "(CASE " + q + " WHEN 0 THEN 'false' WHEN 1 THEN 'true' END)", false
		}
	case Date:
		if c.Checked {
			return "(" + q + " || 'T00:00:00Z')", false
		}
	case Timestamp, TimestampTZ:
		if c.Checked {
			return "(rtrim(rtrim(substr(" + q + ", 1, 26), '0'), '.') || 'Z')", false
		}
	}
	return "", false
}

// KeyValues splits an ID into the values of the Key columns; false if no
// record of the table can have that ID.
func (t *Table) KeyValues(id string) ([]dataknobs.Value, bool) {
	parts := []string{id}
	if len(t.Key) > 1 {
		parts = splitKey(id)
	}
	if len(parts) != len(t.Key) {
		return nil, false
	}
	vs := make([]dataknobs.Value, len(parts))
	for i, k := range t.Key {
		v, ok := t.keyValue(&t.Columns[k], parts[i])
		if !ok {
			return nil, false
		}
		vs[i] = v
	}
	if back, err := dataknobs.KeyText(vs); err != nil || back != id {
		return nil, false // spelt as no record's ID is: 007, +1
	}
	return vs, true
}

// splitKey undoes what KeyText does to several parts.
func splitKey(id string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c == '\\' && i+1 < len(id):
			i++
			part.WriteByte(id[i])
		case c == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	return append(parts, part.String())
}

// keyValue reads the text of one key column.
func (t *Table) keyValue(c *Column, text string) (dataknobs.Value, bool) {
	switch c.class() {
	case classBool:
		return dataknobs.Bool(text == "true"), text == "true" || text == "false"
	case classNumber:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return dataknobs.Int(i), true
		}
		f, err := strconv.ParseFloat(text, 64)
		if err == nil && c.Type != Int && f-f == 0 {
			return dataknobs.Float(f), true
		}
		return dataknobs.String(text), t.Dialect == SQLite && !c.Checked || c.Type == Numeric || c.Type == Float
	case classTime:
		if v, ok := dataknobs.ParseTime(text); ok {
			return v, true
		}
		return dataknobs.String(text), t.Dialect == SQLite && !c.Checked
	case classBytes:
		return dataknobs.Value{}, false
	}
	if c.Type == UUID && t.Dialect == Postgres {
		return dataknobs.String(text), IsUUID(text)
	}
	return dataknobs.String(text), text != ""
}
