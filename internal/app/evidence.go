package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/evidence"
	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// gather makes the module that asks for evidence, with the queries of all others.
func (m *modules) gather(cfg config.Config, s *stores, registry *egress.Registry, log *slog.Logger) error {
	all, err := clause.Load()
	if err != nil {
		return err
	}
	m.evidence, err = evidence.New(evidence.Deps{
		DB: s.main, Clock: clock.System{}, Queue: m.queue, Log: log, Audit: m.audit, Clauses: all, Queries: m.queries(cfg, s, registry),
	})
	return err
}

// queries are the questions of the clause registry by name. Each counts what it
// looked at and what of it should not be.
func (m *modules) queries(cfg config.Config, s *stores, registry *egress.Registry) map[string]evidence.Query {
	return map[string]evidence.Query{
		"receipts_altered":               counted(m.consent.AlteredReceipts),
		"gates_open_without_act":         counted(m.consent.OpenWithoutAct),
		"texts_altered":                  counted(m.consent.AlteredTexts),
		"log_altered":                    counted(m.audit.Altered),
		"passwords_readable":             counted(m.account.ReadablePasswords),
		"provision_without_verification": counted(m.service.Unverified),
		"disclosures_outside_register": counted(func(ctx context.Context) (int64, int64, error) {
			return m.audit.Outside(ctx, (clock.System{}).Now().Add(-25*time.Hour), func(d audit.Disclosure) bool { return registered(registry, d) })
		}),
		"contacts_used_otherwise": counted(func(ctx context.Context) (int64, int64, error) {
			return m.audit.ReadOtherwise(ctx, (clock.System{}).Now().Add(-25*time.Hour), contact.Tables(), contact.Serves)
		}),
		"guardians_overdue":     counted(m.age.OverdueVacancies),
		"canaries_living":       counted(m.erasure.LivingCanaries),
		"corrections_untold":    counted(m.privacy.UntoldCorrections),
		"realname_ungranted":    counted(m.realname.Ungranted),
		"powers_combined":       counted(m.account.CombinedPowers),
		"intake_silent":         counted(m.privacy.SilentPrinted),
		"resets_without_reason": counted(m.vpn.Unreasoned),
		"requests_overdue":      counted(m.overdueRequests),
		"retention_overdue":     counted(func(ctx context.Context) (int64, int64, error) { return m.overdueRecords(ctx, s.main) }),
		"columns_undeclared":    counted(func(ctx context.Context) (int64, int64, error) { return undeclaredColumns(ctx, cfg, s) }),
		"backups_overdue":       counted(func(ctx context.Context) (int64, int64, error) { return overdueBackups(ctx, cfg, s) }),
	}
}

// tellPowers asks at the start whether anybody's permissions are of more than
// one power. Only those of the one held are in force, so that nothing has to
// stop; whoever runs the installation has to give the roles anew.
func (m *modules) tellPowers(ctx context.Context, log *slog.Logger) error {
	examined, found, err := m.account.CombinedPowers(ctx)
	if err == nil && found > 0 {
		log.WarnContext(ctx, "staff accounts hold permissions of more than one power; give their roles anew by skybridge admin add-staff --role", "count", found, "people", examined)
	}
	return err
}

func counted(f func(context.Context) (examined, found int64, err error)) evidence.Query {
	return func(ctx context.Context) (evidence.Finding, error) {
		examined, found, err := f(ctx)
		return evidence.Finding{Examined: examined, Found: found}, err
	}
}

// registered tells whether the register allows what a disclosure says was sent.
func registered(registry *egress.Registry, d audit.Disclosure) bool {
	for _, r := range registry.Recipients() {
		for _, op := range r.Ops {
			if r.ID != d.Recipient || op.Op != d.Op {
				continue
			}
			return slices.Contains(op.Purposes, d.Purpose) && !slices.ContainsFunc(d.Fields, func(f string) bool {
				return !slices.Contains(op.Fields, f) && !slices.Contains(op.Technical, f)
			})
		}
	}
	return false
}

func (m *modules) overdueRequests(ctx context.Context) (examined, found int64, err error) {
	n, err := m.privacy.Standing(ctx)
	return int64(n.Open), int64(n.Overdue), err
}

// overdueRecords counts what is kept of every class of the published table, and
// what of it is past its ceiling and held by nothing: it asks the tables, not the
// run that ought to have emptied them. What the last run itself found too late
// counts too, and a run that did not come.
func (m *modules) overdueRecords(ctx context.Context, q db.Q) (examined, found int64, err error) {
	now := (clock.System{}).Now()
	run, err := m.privacy.RunAt(ctx, now)
	if err != nil {
		return 0, 0, err
	}
	for _, k := range m.keeps(q) {
		all, over, err := k.count(ctx, run)
		if err != nil {
			return 0, 0, fmt.Errorf("counting what is kept of %s: %w", k.class, err)
		}
		examined, found = examined+all, found+over
	}
	runs, err := m.privacy.RetentionRuns(ctx, 50)
	if err != nil {
		return 0, 0, err
	}
	last, err := m.audit.Began(ctx) // the first run is due a day after the log begins
	if err != nil {
		return 0, 0, err
	}
	for _, r := range runs {
		if r.Run == runs[0].Run {
			last = r.At
			found += max(0, r.Overdue-r.Held)
		}
	}
	if !last.IsZero() && now.Sub(last) > 26*time.Hour {
		found++
	}
	return examined, found, nil
}

// undeclaredColumns counts the columns of the live database, and its differences
// from the data map and from what the privacy policy says.
func undeclaredColumns(ctx context.Context, cfg config.Config, s *stores) (examined, found int64, err error) {
	live, err := s.main.Schema(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, columns := range live {
		examined += int64(len(columns))
	}
	wrong := errors.Join(holding.Verify(Holdings(), live), consent.Declared(cfg.Profile, Holdings()))
	return examined, countErrors(wrong), nil
}

// countErrors counts the leaves of joined errors.
func countErrors(err error) (n int64) {
	var many interface{ Unwrap() []error }
	if err == nil {
		return 0
	}
	if !errors.As(err, &many) {
		return 1
	}
	for _, e := range many.Unwrap() {
		n += countErrors(e)
	}
	return n
}

// overdueBackups counts the stores that are backed up, and those whose last good
// backup is older than two periods. Where none is wanted there is none to count.
func overdueBackups(ctx context.Context, cfg config.Config, s *stores) (examined, found int64, err error) {
	if cfg.Backup.Main.Directory == "" {
		return 0, 0, nil
	}
	states, err := backup.States(ctx, s.main)
	for _, st := range states {
		examined++
		if now := (clock.System{}).Now(); now.Sub(st.Success) > 2*cfg.Backup.Every {
			found++
		}
	}
	return examined, found, err
}

// evidenceMetrics tell of the last answers.
func (m *modules) evidenceMetrics() []metric.Family {
	return []metric.Family{{
		Name: "skybridge_control_evidence", Help: "Queries of the clause registry by the state of their last answer: expected, unexpected, failed.", Kind: metric.Gauge,
		Labels: []string{"state"}, Read: func(ctx context.Context) ([]metric.Sample, error) {
			all, err := m.evidence.Results(ctx)
			n := map[string]float64{evidence.Expected: 0, evidence.Unexpected: 0, evidence.Failed: 0}
			for _, r := range all {
				n[r.State]++
			}
			return metric.ByLabel(n), err
		},
	}}
}
