package app

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
)

// ErrPromises says that a text promises what nothing keeps.
var ErrPromises = errors.New("the texts promise more than is kept")

// boardRow is one clause on the board, for programs.
type boardRow struct {
	ID         string       `json:"id"`
	State      clause.State `json:"state"`
	Must       string       `json:"must"`
	EnforcedBy []string     `json:"enforced_by"`
	Tests      []string     `json:"tests"`
	Planned    string       `json:"planned,omitempty"`
	Register   string       `json:"register,omitempty"`
}

// PolicyBoard prints the clause registry of this build with the state of each
// clause, and the sum of each state.
func PolicyBoard(out io.Writer, asJSON bool) error {
	all, err := clause.Load()
	if err != nil {
		return err
	}
	if asJSON {
		rows, err := boardRows()
		if err != nil {
			return err
		}
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	sums := map[clause.State]int{}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		sums[c.State()]++
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", c.ID, c.State(), cmp.Or(strings.Join(c.EnforcedBy, " "), c.Planned, c.Register, "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%d clauses: %d enforced, %d organisational, %d planned, %d open\n",
		len(all), sums[clause.Enforced], sums[clause.Organisational], sums[clause.Planned], sums[clause.Open])
	return err
}

// PolicyLint says what stands against publishing the texts of a profile on a
// day; ErrPromises if anything does.
func PolicyLint(profile string, day time.Time, out io.Writer) error {
	all, err := clause.Load()
	if err != nil {
		return err
	}
	if profile != consent.Mainland && profile != consent.HongKong {
		return fmt.Errorf("there is no profile %q: choose %s or %s", profile, consent.Mainland, consent.HongKong)
	}
	promised, err := consent.Promised(profile)
	if err != nil {
		return err
	}
	problems := clause.Lint(all, promised, day)
	for _, p := range problems {
		_, _ = fmt.Fprintln(out, p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems: %w", len(problems), ErrPromises)
	}
	_, err = fmt.Fprintf(out, "%d clauses are kept\n", len(promised))
	return err
}
