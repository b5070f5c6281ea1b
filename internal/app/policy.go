package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
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
		return writeJSON(out, rows)
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
// day, with the facts of an invented operator; ErrPromises if anything does.
func PolicyLint(profile string, day time.Time, asJSON bool, out io.Writer) error {
	problems, err := consent.Lint(profile, day)
	if err != nil {
		return err
	}
	if asJSON {
		if err := writeJSON(out, append([]clause.Problem{}, problems...)); err != nil {
			return err
		}
	} else {
		for _, p := range problems {
			_, _ = fmt.Fprintln(out, p)
		}
	}
	switch {
	case len(problems) > 0:
		return fmt.Errorf("%d problems: %w", len(problems), ErrPromises)
	case asJSON:
		return nil
	}
	_, err = fmt.Fprintln(out, "nothing stands against the texts")
	return err
}

// PolicyQuotes prints the digests of the paragraphs that stand for each clause,
// in the form of the registry's quotes.yaml.
func PolicyQuotes(out io.Writer) error {
	all, err := clause.Load()
	if err != nil {
		return err
	}
	spans, err := consent.Spans()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, clause.Quotes(all, spans))
	return err
}

// PolicyDraft is what PolicyPublish is told.
type PolicyDraft struct {
	Document string
	Major    bool
	From     string // day from which it holds, "2026-12-24"; empty = when the notice of seven days is over
}

// PolicyPublish publishes a document with the operator's present facts, or says
// all that stands against it. It is the act of who may open the installation's
// files, as every command for operators is.
func PolicyPublish(ctx context.Context, cfg config.Config, d PolicyDraft, asJSON bool, out io.Writer, log *slog.Logger) error {
	now := clock.System{}.Now()
	effective := now.Add(consent.NoticePeriod + time.Minute)
	if d.From != "" {
		day, err := civil.ParseDay(d.From)
		if err != nil {
			return fmt.Errorf("the day is not like 2026-12-24: %w", err)
		}
		effective = day.Start()
	}
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	v, err := m.consent.Publish(ctx, consent.Draft{Document: d.Document, Major: d.Major, EffectiveAt: effective, By: consent.Shell})
	if err != nil {
		return said(err)
	}
	if asJSON {
		return writeJSON(out, map[string]any{"document": v.Document, "version": v.Number, "change": v.Change, "sha256": v.SHA256, "effective_at": v.EffectiveAt})
	}
	_, err = fmt.Fprintf(out, "%s %s: published, holds from %s, SHA-256 %s\n", v.Document, v.Number, v.EffectiveAt.In(civil.Zone).Format(time.DateTime), v.SHA256)
	return err
}

// said is an error with the sentence that its code stands for.
func said(err error) error {
	var coded *errs.Error
	if errors.As(err, &coded) {
		return errors.New(i18n.Text(i18n.English, coded.Code, coded.Params))
	}
	return err
}

func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
