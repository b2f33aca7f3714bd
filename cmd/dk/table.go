package main

import (
	"bufio"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"dataknobs.dev/dataknobs"
)

// tableChunk is how many rows a table looks at to choose its widths, and
// prints at once. Later rows keep these widths, so that a table of any length
// takes little memory.
const tableChunk = 1000

const (
	narrowColumn = 12 // how far a column of texts is cut before columns are left out
	columnGap    = 2
)

type tableStyle uint8

const (
	plainStyle tableStyle = iota
	markdownStyle
)

// A tablePrinter prints aligned columns, cut to the width of the screen.
type tablePrinter struct {
	w     *bufio.Writer
	scr   screen
	style tableStyle
	s     shape
	cut   func(left []string) // told of the columns that there was no room for; may be nil
	cols  []tableColumn
	shown int         // how many of cols are printed
	rows  []table.Row // the chunk
	laid  bool        // the widths are chosen, and the head is printed
	vs    []dataknobs.Value
}

type tableColumn struct {
	name    string
	width   int
	numbers bool // in the first chunk there are numbers
	others  bool // … and values that are neither null nor numbers
}

func (c tableColumn) numeric() bool { return c.numbers && !c.others }

func newTable(w *bufio.Writer, s shape, scr screen, style tableStyle) *tablePrinter {
	t := &tablePrinter{w: w, scr: scr, style: style, s: s}
	for _, name := range s.head() {
		name = printable(name)
		t.cols = append(t.cols, tableColumn{name: name, width: textWidth(name)})
	}
	t.shown = len(t.cols)
	return t
}

func (t *tablePrinter) print(rec *dataknobs.Record) error {
	t.vs = t.s.row(t.vs[:0], rec)
	row := make(table.Row, len(t.vs))
	for i, v := range t.vs {
		cell := cellText(v)
		if !t.laid {
			t.cols[i].see(v, cell)
		}
		if v.IsNull() {
			cell = t.scr.paint(styleDim, cell)
		}
		row[i] = cell
	}
	t.rows = append(t.rows, row)
	if len(t.rows) < tableChunk {
		return nil
	}
	return t.flush()
}

// see widens the column for a value of the first chunk.
func (c *tableColumn) see(v dataknobs.Value, cell string) {
	c.width = max(c.width, textWidth(cell))
	c.numbers = c.numbers || v.IsNumber()
	c.others = c.others || !v.IsNumber() && !v.IsNull()
}

func (t *tablePrinter) close(failure error) error {
	if !t.laid && failure == nil || len(t.rows) > 0 {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if t.shown < len(t.cols) && t.cut != nil {
		t.cut(t.left())
	}
	return nil
}

// left returns the names of the columns that there was no room for.
func (t *tablePrinter) left() []string {
	var names []string
	for _, c := range t.cols[t.shown:] {
		names = append(names, c.name)
	}
	return names
}

// flush prints the chunk, and before the first one the head.
func (t *tablePrinter) flush() error {
	if len(t.cols) == 0 {
		return nil
	}
	if !t.laid && t.scr.width > 0 {
		t.fit(t.scr.width)
	}
	tw := table.NewWriter()
	tw.SetStyle(t.look())
	tw.SuppressTrailingSpaces()
	tw.SetColumnConfigs(t.configs())
	if !t.laid || t.style == markdownStyle { // Markdown is no table without a head
		tw.AppendHeader(t.head())
	}
	for _, row := range t.rows {
		tw.AppendRow(row[:t.shown])
	}
	var out string
	if t.style == markdownStyle {
		out = tw.RenderMarkdown()
	} else {
		out = tw.Render()
	}
	if t.laid && t.style == markdownStyle {
		out = strings.SplitN(out, "\n", 3)[2]
	}
	t.laid, t.rows = true, t.rows[:0]
	_, err := t.w.WriteString(out + "\n")
	return err
}

func (t *tablePrinter) head() table.Row {
	row := make(table.Row, t.shown)
	for i := range row {
		row[i] = t.cols[i].name
	}
	return row
}

// look is a table without a frame: a rule below the head, two spaces between columns.
func (t *tablePrinter) look() table.Style {
	gap, rule := strings.Repeat(" ", columnGap), "-"
	if t.scr.tty {
		rule = "─"
	}
	s := table.Style{
		Name: "dk",
		Box:  table.BoxStyle{MiddleVertical: gap, MiddleSeparator: gap, MiddleHorizontal: rule, UnfinishedRow: "…"},
		Options: table.Options{
			SeparateColumns: true, SeparateHeader: true, DoNotColorBordersAndSeparators: true,
		},
		Markdown: table.MarkdownOptions{PadContent: true},
	}
	if t.scr.colour {
		s.Color.Header = text.Colors{text.Bold}
	}
	return s
}

func (t *tablePrinter) configs() []table.ColumnConfig {
	cs := make([]table.ColumnConfig, t.shown)
	for i, c := range t.cols[:t.shown] {
		cs[i] = table.ColumnConfig{Number: i + 1, WidthMin: c.width, Align: text.AlignDefault, AlignHeader: text.AlignDefault}
		if c.numeric() {
			cs[i].Align, cs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
		if t.scr.width > 0 {
			cs[i].WidthMax, cs[i].WidthMaxEnforcer = c.width, fit
		}
	}
	return cs
}

// fit cuts the widest columns of texts, and then leaves out columns at the
// end, until the table is no wider than width.
func (t *tablePrinter) fit(width int) {
	if total(t.cols) <= width {
		return
	}
	t.shown = 0
	for used := -columnGap; t.shown < len(t.cols); t.shown++ {
		if used += columnGap + t.cols[t.shown].least(); used > width && t.shown > 0 {
			break
		}
	}
	cols := t.cols[:t.shown]
	for over := total(cols) - width; over > 0; over-- {
		widest := -1
		for i, c := range cols {
			if c.width > c.least() && (widest < 0 || c.width > cols[widest].width) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		cols[widest].width--
	}
	if len(cols) == 1 {
		cols[0].width = min(cols[0].width, width)
	}
}

// least is how narrow a column may be made: a number is never cut.
func (c tableColumn) least() int {
	if c.numeric() {
		return c.width
	}
	return min(c.width, narrowColumn)
}

func total(cols []tableColumn) int {
	sum := -columnGap
	for _, c := range cols {
		sum += c.width + columnGap
	}
	return sum
}

// textWidth is how many columns of a terminal a text takes.
func textWidth(s string) int { return text.StringWidthWithoutEscSequences(s) }

// cellText is a value as a table shows it.
func cellText(v dataknobs.Value) string {
	if v.IsNull() {
		return "null"
	}
	if v.Kind() == dataknobs.KindString {
		return printable(v.Str())
	}
	return printable(string(appendPlain(nil, v)))
}

// fit cuts s to that width, with … in place of what was cut.
func fit(s string, width int) string {
	if textWidth(s) <= width {
		return s
	}
	return text.Snip(s, width, "…")
}
