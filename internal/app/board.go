package app

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
)

// columnsOf is how many columns a terminal shows; zero for what is none: a file or a
// pipe takes lines of any length.
func columnsOf(out io.Writer) int {
	f, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func printBoard(out io.Writer, rows []boardRow, asJSON bool) error {
	if asJSON {
		return writeJSON(out, rows)
	}
	if err := boardTo(out, rows, columnsOf(out)); err != nil {
		return err
	}
	sums := map[clause.State]int{}
	for _, r := range rows {
		sums[r.State]++
	}
	_, err := fmt.Fprintf(out, "\n%d clauses: %d enforced, %d organisational, %d planned, %d open\n",
		len(rows), sums[clause.Enforced], sums[clause.Organisational], sums[clause.Planned], sums[clause.Open])
	return err
}

// narrowest is the least width that the board is folded to.
const narrowest = 60

// boardTo writes one line for each clause, or for a terminal of that many columns
// what fits: names without their directories, folded within their columns.
func boardTo(out io.Writer, rows []boardRow, width int) error {
	if width == 0 {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, r := range rows {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.State, r.keeper(" "), r.mutant(), r.Evidence.text(r.Query))
		}
		return w.Flush()
	}
	const id, state = 8, 14
	rest := max(width, narrowest) - id - state - 2
	keeper, evidence := rest*2/5, rest/4
	widths := []int{id, state, keeper, rest - keeper - evidence, evidence}
	for _, r := range rows {
		if err := folded(out, widths, r.ID, string(r.State), r.short().keeper(" "), r.short().mutant(), r.Evidence.short(r.Query)); err != nil {
			return err
		}
	}
	return nil
}

func (r boardRow) keeper(sep string) string {
	return cmp.Or(strings.Join(r.EnforcedBy, sep), r.Planned, r.Register, "-")
}

func (r boardRow) mutant() string {
	if r.KilledBy == "" {
		return "-"
	}
	return "killed by " + r.KilledBy
}

// short is a row whose names have no directories: consent.Service.Gate.
func (r boardRow) short() boardRow {
	bare := func(name string) string { return name[strings.LastIndex(name, "/")+1:] }
	all := make([]string, len(r.EnforcedBy))
	for i, name := range r.EnforcedBy {
		all[i] = bare(name)
	}
	r.EnforcedBy, r.KilledBy = all, bare(r.KilledBy)
	return r
}

func (r *boardResult) text(query string) string {
	if r == nil {
		return cmp.Or(query, "-")
	}
	return fmt.Sprintf("%s: %s, %d of %d, %s", query, r.State, r.Found, r.Examined, r.At.Format(time.DateTime))
}

func (r *boardResult) short(query string) string {
	if r == nil {
		return cmp.Or(query, "-")
	}
	return fmt.Sprintf("%s %d of %d %s", r.State, r.Found, r.Examined, r.At.Format("01-02 15:04"))
}

// folded writes one row of cells, each within its width and at least one blank
// from the next.
func folded(out io.Writer, widths []int, cells ...string) error {
	columns, height := make([][]string, len(cells)), 0
	for i, c := range cells {
		columns[i] = fold(c, widths[i]-1)
		height = max(height, len(columns[i]))
	}
	for line := range height {
		var b strings.Builder
		for i, c := range columns {
			text := ""
			if line < len(c) {
				text = c[line]
			}
			fmt.Fprintf(&b, "%-*s", widths[i], text)
		}
		if _, err := fmt.Fprintln(out, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// fold breaks a text into lines of at most width columns: between words, and
// within those that are longer, at the seams of their names where there are any. What the board prints is ASCII but for what is
// planned, whose letters are as wide.
func fold(text string, width int) (lines []string) {
	line := []rune{}
	for _, word := range strings.Fields(text) {
		w := []rune(word)
		if len(line) > 0 && len(line)+1+len(w) <= width {
			line = append(append(line, ' '), w...)
			continue
		}
		if len(line) > 0 {
			lines = append(lines, string(line))
		}
		for len(w) > width {
			at := seam(w, width)
			lines, w = append(lines, string(w[:at])), w[at:]
		}
		line = w
	}
	return append(lines, string(line))
}

// seam is where to break a name that is longer than width: after a dot or before a
// capital of its second half, or at the width.
func seam(name []rune, width int) int {
	for at := width; at > width/2; at-- {
		if name[at-1] == '.' || name[at-1] == '_' || unicode.IsUpper(name[at]) {
			return at
		}
	}
	return width
}
