package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/evidence"
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
	MustZH     string       `json:"must_zh"`
	EnforcedBy []string     `json:"enforced_by"`
	Tests      []string     `json:"tests"`
	KilledBy   string       `json:"mutant_killed_by,omitempty"` // empty: not tried since the row was written
	Query      string       `json:"query,omitempty"`
	Evidence   *boardResult `json:"evidence,omitempty"` // nil: not asked, or no installation to ask
	Planned    string       `json:"planned,omitempty"`
	Register   string       `json:"register,omitempty"`
}

// boardResult is the last answer to a row's query.
type boardResult struct {
	State    string    `json:"state"`
	Examined int64     `json:"examined"`
	Found    int64     `json:"found"`
	Checks   int64     `json:"checks"`
	At       time.Time `json:"at"`
}

// boardRows are the rows of this build without evidence.
func boardRows() ([]boardRow, error) {
	all, err := clause.Load()
	rows := make([]boardRow, 0, len(all))
	for _, c := range all {
		rows = append(rows, boardRow{
			ID: c.ID, State: c.State(), Must: c.Must, MustZH: c.MustZH, EnforcedBy: append([]string{}, c.EnforcedBy...), Tests: append([]string{}, c.Tests...),
			KilledBy: c.KilledBy, Query: c.Evidence.Query, Planned: c.Planned, Register: c.Register,
		})
	}
	return rows, err
}

// boardRows are the rows with the last evidence of this installation.
func (m *modules) boardRows(ctx context.Context) ([]boardRow, error) {
	rows, err := boardRows()
	if err != nil {
		return nil, err
	}
	results, err := m.evidence.Results(ctx)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		for _, r := range results {
			if r.Query == row.Query {
				rows[i].Evidence = &boardResult{r.State, r.Finding.Examined, r.Finding.Found, r.Checks, r.At}
			}
		}
	}
	return rows, nil
}

// PolicyBoard prints the clause registry of this build: of each clause state,
// symbols, what killed its mutant and its query, with the last answer where the
// configuration names an installation; and the sum of each state.
func PolicyBoard(ctx context.Context, cfg config.Config, asJSON bool, out io.Writer, log *slog.Logger) error {
	rows, err := lastBoard(ctx, cfg, log)
	if err != nil {
		return err
	}
	return printBoard(out, rows, asJSON)
}

func lastBoard(ctx context.Context, cfg config.Config, log *slog.Logger) ([]boardRow, error) {
	// Asking for the board makes no installation where there is none.
	if _, err := os.Stat(cfg.Path("profile")); errors.Is(err, fs.ErrNotExist) {
		return boardRows()
	}
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.close() }()
	return m.boardRows(ctx)
}

// PolicyEvidence asks for all evidence of an installation now and prints the
// board with it; ErrEvidence if any is not as expected.
func PolicyEvidence(ctx context.Context, cfg config.Config, asJSON bool, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	if err := m.evidence.Run(ctx); err != nil {
		return err
	}
	rows, err := m.boardRows(ctx)
	if err != nil {
		return err
	}
	if err := printBoard(out, rows, asJSON); err != nil {
		return err
	}
	for _, r := range rows {
		if r.Evidence != nil && r.Evidence.State != evidence.Expected {
			return fmt.Errorf("%s: %s: %w", r.ID, r.Query, ErrEvidence)
		}
	}
	return nil
}

// ErrEvidence says that an installation's data are not what a clause promises.
var ErrEvidence = errors.New("the evidence is not as expected")

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
