package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// errWaits ends a run whose case waits for something; it is looked at again.
var errWaits = errors.New("erasure: waits")

// Run takes a case as far as it goes. It may run any number of times, in several
// processes and after a kill at any line.
func (s *Service) Run(ctx context.Context, caseID string) error {
	for {
		c, err := byID(ctx, s.d.DB, caseID)
		if err != nil || c.Step == Done {
			return err
		}
		err = s.step(ctx, c)
		fault.Point("erasure-after-" + string(c.Step))
		switch {
		case errors.Is(err, errWaits):
			return nil
		case errors.Is(err, db.ErrRetry):
		case err != nil:
			return errors.Join(err, s.note(ctx, c, problemError))
		}
	}
}

// Young cases are looked at again soon: what they wait for takes seconds.
const (
	young = 10 * time.Minute
	soon  = 3 * time.Second
)

func (s *Service) onRun(ctx context.Context, n named) error {
	if err := s.Run(ctx, n.Case); err != nil {
		return err
	}
	c, err := byID(ctx, s.d.DB, n.Case)
	now := s.d.Clock.Now()
	if err != nil || c.Step == Done || now.Sub(c.AskedAt) > young {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobRun, Payload: n, RunAt: now.Add(soon)})
	})
}

// Resume goes on with every case that is not done, and warns of those whose last
// day comes near.
func (s *Service) Resume(ctx context.Context) error {
	all, err := db.Select(ctx, s.d.DB, scanCase, columns+" WHERE step <> 'done' ORDER BY due_at, id")
	if err != nil {
		return err
	}
	var failed []error
	for _, c := range all {
		if left := c.DueAt.Sub(s.d.Clock.Now()); left < 72*time.Hour {
			s.d.Log.WarnContext(ctx, "an erasure is not done and its last day is near", "case", c.ID, "step", c.Step, "problem", c.Problem)
		}
		if err := s.Run(ctx, c.ID); err != nil {
			failed = append(failed, fmt.Errorf("case %s: %w", c.ID, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) step(ctx context.Context, c Case) error {
	switch c.Step {
	case Freeze:
		return s.freeze(ctx, c)
	case Settle:
		return s.settle(ctx, c)
	case Search:
		return s.search(ctx, c)
	case Tell:
		return s.tell(ctx, c)
	case Bury:
		return s.bury(ctx, c)
	case Rows:
		return s.rows(ctx, c)
	case Keys:
		return s.keys(ctx, c)
	case Files:
		return s.files(ctx, c)
	case Scan:
		return s.scan(ctx, c)
	case Certify:
		return s.certify(ctx, c)
	}
	return fmt.Errorf("erasure %s: no step %q", c.ID, c.Step)
}

// pass takes a case to its next step, with what do changes, in one transaction.
func (s *Service) pass(ctx context.Context, c Case, do func(tx *db.Tx, c *Case) error) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		next := c
		if do != nil {
			if err := do(tx, &next); err != nil {
				return err
			}
		}
		next.Step, next.Problem = c.Step.next(), ""
		return save(ctx, tx, next)
	})
}

// note keeps why a case does not go on.
func (s *Service) note(ctx context.Context, c Case, problem string) error {
	if c.Problem == problem {
		return nil
	}
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now, err := byID(ctx, tx, c.ID)
		if err != nil || now.Step != c.Step {
			return err
		}
		now.Problem = problem
		return save(ctx, tx, now)
	})
	if errors.Is(err, db.ErrRetry) {
		return nil
	}
	return err
}

func (s *Service) waits(ctx context.Context, c Case, problem string) error {
	if err := s.note(ctx, c, problem); err != nil {
		return err
	}
	return errWaits
}

// freeze ends everything that lets the person, or somebody in their name, in.
func (s *Service) freeze(ctx context.Context, c Case) error {
	return s.pass(ctx, c, func(tx *db.Tx, _ *Case) error {
		if c.Client != "" {
			return s.d.Tunnels.ShutClientTx(ctx, tx, c.Client)
		}
		if err := s.d.Tunnels.ShutClientsTx(ctx, tx, account.Principal{Account: c.Account, Subject: c.Subject}); err != nil {
			return err
		}
		if err := s.d.Logins.CloseTx(ctx, tx, c.Subject, "erasure"); err != nil {
			return err
		}
		if c.Trigger == Canary {
			return nil // there is nobody to write to
		}
		return s.d.Queue.PublishTx(ctx, tx, TopicBegun, Event{Case: c.ID, Account: c.Account, Subject: c.Subject, Date: civil.DayOf(c.DueAt.Add(-time.Second)).String()})
	})
}

// settle ends what the account still has, and waits for what it is owed.
func (s *Service) settle(ctx context.Context, c Case) error {
	if c.Account != "" {
		open, err := s.d.Settler.Settle(ctx, c.Account)
		if err != nil {
			return err
		}
		owed := slices.DeleteFunc(open, func(u Unsettled) bool { return c.settlement != "" && (u.Kind == "balance" || u.Kind == "payment") })
		if len(owed) > 0 {
			return s.waits(ctx, c, problemUnsettled)
		}
	}
	return s.pass(ctx, c, nil)
}

// Searched are the categories whose values say whom they belong to.
var Searched = []holding.Category{holding.Email, holding.Phone, holding.QQ, holding.IDNumber, holding.Certificate}

// searches are the categories that a case looks for. While a server lives, the
// serials of its revoked certificates stay in its revocation list, without anything
// that leads to a person: a certificate of an erased user opens nothing because
// they are there. The certificate says so, as limitSerials.
func (c Case) searches() []holding.Category {
	if c.Client == "" {
		return Searched
	}
	return slices.DeleteFunc(slices.Clone(Searched), func(h holding.Category) bool { return h == holding.Certificate })
}

// search takes the values to look for at the end, sealed under a key of the case
// alone: a kill must not leave an erasure that cannot be checked.
func (s *Service) search(ctx context.Context, c Case) error {
	values, err := s.d.Values.Values(ctx, c.person(), vault.Reader{Class: vault.Job, Session: c.ID}, "rights", c.searches()...)
	if err != nil {
		return err
	}
	values = slices.DeleteFunc(values, func(v string) bool { return len(v) < scan.MinValue })
	raw, err := json.Marshal(values)
	if err != nil {
		return err
	}
	sealed, err := s.d.Vault.SealSystem(ctx, c.secret(), raw)
	if err != nil {
		return err
	}
	return s.pass(ctx, c, func(_ *db.Tx, next *Case) error {
		next.searched = sealed
		return nil
	})
}

func (c Case) secret() string { return "erasure/" + c.ID }

// tell lists everybody who was sent something about the person, and lets the last
// letter go out.
func (s *Service) tell(ctx context.Context, c Case) error {
	out := c.Account == "" || c.Trigger == Canary // users of SSL clients have no address here
	if !out {
		var err error
		if out, err = s.d.Letters.Out(ctx, TopicBegun+":"+c.ID); err != nil {
			return err
		}
	}
	if !out && s.d.Clock.Now().Before(c.AskedAt.Add(letterTime)) {
		return s.waits(ctx, c, problemLetter)
	}
	sent, err := s.d.Audit.Disclosures(ctx, c.Subject, "", 500)
	if err != nil {
		return err
	}
	return s.pass(ctx, c, func(tx *db.Tx, _ *Case) error {
		for _, d := range sent {
			if d.Role == "infra" {
				continue
			}
			_, err := tx.Exec(ctx, `INSERT INTO erasure_recipient (case_id, recipient, legal_name, told_at, acknowledged_at)
				VALUES ($1, $2, $3, $4, 0) ON CONFLICT (case_id, recipient) DO NOTHING`, c.ID, d.Recipient, d.LegalName, db.Micros(s.d.Clock.Now()))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// letterTime is how long the last letter may take to go out.
const letterTime = 10 * time.Minute

// kept are the classes that a law keeps of a person.
func (s *Service) kept() map[string]bool {
	all := map[string]bool{"legal_order": true}
	for _, h := range s.d.Held {
		if h.Keeps != nil {
			all[h.Keeps.Class] = true
		}
	}
	return all
}

// doomed are the key classes that end: those of the data map and those that live
// in the key store, but none that a law keeps.
func (s *Service) doomed(ctx context.Context, c Case) ([]string, error) {
	all, err := s.d.Vault.Classes(ctx, c.Subject)
	if err != nil {
		return nil, err
	}
	for _, t := range s.d.Tables {
		for _, col := range t.Columns {
			if col.Retention != "" {
				all = append(all, col.Retention)
			}
		}
	}
	kept := s.kept()
	all = slices.DeleteFunc(all, func(class string) bool {
		base, _, _ := strings.Cut(class, "/")
		return kept[base]
	})
	slices.Sort(all)
	return slices.Compact(all), nil
}

// bury writes outside both databases what is about to be destroyed: a backup that
// is restored later is brought to the same state before it opens (BACKUP).
func (s *Service) bury(ctx context.Context, c Case) error {
	classes, err := s.doomed(ctx, c)
	if err != nil {
		return err
	}
	held, err := s.d.Holds.Holding(ctx, c.Subject, classes)
	if err != nil {
		return err
	}
	if held {
		return s.waits(ctx, c, problemHeld)
	}
	t := vault.Tombstone{Handle: c.Subject, Account: string(c.Account), Client: c.Client, Classes: classes, At: s.d.Clock.Now()}
	if !mutant.Off("TY-5.1c") {
		if err := s.d.Vault.Bury(ctx, s.d.Tombstones, t); err != nil {
			return err
		}
	}
	return s.pass(ctx, c, nil)
}

// errMore says that rows of the person were written while others were deleted.
var errMore = errors.New("erasure: more rows")

// rows deletes in batches, each with its count, and notes what a law keeps. Nothing
// is read of the person meanwhile (Restricted), and nobody is in to add to it;
// what a job adds all the same keeps the step from ending.
func (s *Service) rows(ctx context.Context, c Case) error {
	if c.Client != "" {
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.d.Tunnels.DropClientTx(ctx, tx, c.Client) })
		if err != nil {
			return err
		}
	}
	err := EraseRows(ctx, s.d.DB, s.d.Held, c.person(), func(tx *db.Tx, h holding.Held, rows int64) error {
		if h.Keeps != nil {
			return nil
		}
		return s.outcomeTx(ctx, tx, c, Outcome{Table: h.Table, Deleted: rows})
	})
	if err != nil {
		return err
	}
	stay, err := s.stay(ctx, c)
	if err != nil {
		return err
	}
	err = s.pass(ctx, c, func(tx *db.Tx, _ *Case) error {
		if err := s.emptyTx(ctx, tx, c); err != nil {
			return err
		}
		for _, o := range stay {
			if err := s.outcomeTx(ctx, tx, c, o); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errMore) {
		return db.ErrRetry
	}
	return err
}

// stay is what a law keeps of a person.
func (s *Service) stay(ctx context.Context, c Case) (all []Outcome, err error) {
	for _, h := range s.d.Held {
		if h.Keeps == nil {
			continue
		}
		n, err := h.Count(ctx, s.d.DB, c.person())
		if err != nil {
			return nil, fmt.Errorf("counting in %s: %w", h.Table, err)
		}
		if n > 0 {
			all = append(all, outcome(h))
		}
	}
	return all, nil
}

// emptyTx is errMore unless every table is done.
func (s *Service) emptyTx(ctx context.Context, tx *db.Tx, c Case) error {
	for _, h := range s.d.Held {
		at, err := h.Due(ctx, tx, c.person(), 1)
		if err != nil {
			return fmt.Errorf("looking into %s: %w", h.Table, err)
		}
		if len(at) > 0 {
			return errMore
		}
	}
	return nil
}

// outcome is what an erasure does with the rows of a table that a law keeps.
func outcome(h holding.Held) Outcome {
	return Outcome{Table: h.Table, Class: h.Keeps.Class, Law: h.Keeps.Law, Until: h.Keeps.Until}
}

func (s *Service) outcomeTx(ctx context.Context, tx *db.Tx, c Case, o Outcome) error {
	_, err := tx.Exec(ctx, `INSERT INTO erasure_outcome (case_id, part, deleted, class, law, until) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (case_id, part) DO UPDATE SET deleted = erasure_outcome.deleted + excluded.deleted`, c.ID, o.Table, o.Deleted, o.Class, o.Law, o.Until)
	return err
}

// keys destroys every key of the person that no law keeps. From here on nothing
// opens what they sealed, wherever a copy of it lies.
func (s *Service) keys(ctx context.Context, c Case) error {
	classes, err := s.doomed(ctx, c)
	if err != nil {
		return err
	}
	for _, class := range classes {
		if mutant.Off("TY-3.2b") {
			break
		}
		if err := s.d.Vault.DestroyClass(ctx, c.Subject, class); err != nil {
			return err
		}
		fault.Point("erasure-between-keys")
	}
	return s.pass(ctx, c, func(_ *db.Tx, next *Case) error {
		next.EffectiveAt = s.d.Clock.Now()
		next.CompleteAt = next.EffectiveAt.Add(s.d.KeyBackup)
		return nil
	})
}

// files empties the write-ahead logs, in which deleted rows live on.
func (s *Service) files(ctx context.Context, c Case) error {
	for _, d := range s.d.Truncate {
		if err := d.Truncate(ctx); err != nil {
			return err
		}
	}
	return s.pass(ctx, c, nil)
}

// scan looks for the values in every store. Something that is found, or a store
// that cannot be reached, leaves the case without a certificate.
func (s *Service) scan(ctx context.Context, c Case) error {
	raw, err := s.d.Vault.OpenSystem(ctx, c.secret(), c.searched)
	if err != nil {
		return err
	}
	var values []string
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	clear(raw)
	p, err := scan.For(values)
	if err != nil {
		return err
	}
	defer p.Wipe()
	var report scan.Report
	for _, store := range s.d.Search {
		part, err := store(ctx, p)
		if err != nil {
			return err
		}
		report.Join(part)
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	if len(report.Hits) > 0 && !mutant.Off("LT-4.3") {
		for _, h := range report.Hits {
			s.d.Log.ErrorContext(ctx, "a value of an erased person was found", "case", c.ID, "place", h.Place, "form", h.Form, "times", h.Times)
		}
		if err := s.keepReport(ctx, c, string(text)); err != nil {
			return err
		}
		return s.waits(ctx, c, problemScanFailed)
	}
	// Their key goes in the next step: destroyed here, a kill before the row is
	// written would leave a search that nobody can repeat.
	return s.pass(ctx, c, func(_ *db.Tx, next *Case) error {
		next.report, next.searched = string(text), []byte{}
		return nil
	})
}

func (s *Service) keepReport(ctx context.Context, c Case, text string) error {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now, err := byID(ctx, tx, c.ID)
		if err != nil || now.Step != Scan || now.report == text {
			return err
		}
		now.report = text
		return save(ctx, tx, now)
	})
	if errors.Is(err, db.ErrRetry) {
		return nil
	}
	return err
}

// finish tells the rights desk.
func (s *Service) finish(ctx context.Context, c Case) error {
	if c.Request == "" || s.d.Carried == nil {
		return nil
	}
	if err := s.d.Carried(ctx, c.Request); err != nil && errs.KindOf(err) != errs.Conflict {
		return err
	}
	return nil // Conflict: it was said before
}

var byJob = audit.Actor{Class: vault.Job}
