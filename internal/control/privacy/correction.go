package privacy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Teller tells one recipient that fields of a person it was sent are something
// else now, and returns what proves it: an id, never a value. It may be asked
// twice. ErrByHand: it cannot, and a member of the staff has to.
type Teller interface {
	Tell(ctx context.Context, t Task) (receipt string, err error)
}

// Errors of corrections.
var (
	ErrByHand   = errs.New(errs.Unavailable, "privacy.told_by_hand")
	ErrNoTask   = errs.New(errs.NotFound, "privacy.no_task") // unknown, or told
	ErrReceipt  = errs.New(errs.Unprocessable, "privacy.receipt_needed")
	ErrPersonal = errs.New(errs.Unprocessable, "privacy.receipt_personal") // it looks like somebody's data
)

// tellLife is how long a recipient may go untold.
const tellLife = 7 * 24 * time.Hour

// SentAs names the registered fields that a column goes out as, beside its own
// name, which copies for authorities and successors go by.
var SentAs = map[string][]string{
	"account_person.email":         {"email"},
	"realname_verification.name":   {"UserName"},
	"realname_verification.number": {"IdentifyNum"},
}

// Ways that a recipient is told.
const (
	ByAdapter = "adapter"
	ByStaff   = "staff"
)

// Task is to tell one recipient of one correction.
type Task struct {
	ID         string // ctk_...
	Correction string // cor_...
	Subject    id.Handle
	Recipient  string
	LegalName  string
	Fields     []string // that it was sent, by their registered names
	Via        string   // ByAdapter or ByStaff
	At         time.Time
	Due        time.Time
	ToldAt     time.Time // zero: not yet
	ToldBy     id.Handle // of the staff
	Receipt    string

	shown time.Time
}

// Corrected is a correction with the recipients that it concerns.
type Corrected struct {
	ID     string
	Fields []string // columns of the data map
	At     time.Time
	Tasks  []Task // empty: nobody was sent the old value
}

const taskColumns = "id, correction, subject, recipient, legal_name, fields, via, at, due_at, shown_from, told_at, told_by, receipt"

func scanTask(r db.Row) (t Task, err error) {
	var at, due, shown, told int64
	var fields string
	err = r.Scan(&t.ID, &t.Correction, &t.Subject, &t.Recipient, &t.LegalName, &fields, &t.Via, &at, &due, &shown, &told, &t.ToldBy, &t.Receipt)
	t.Fields, t.At, t.Due, t.shown, t.ToldAt = strings.Fields(fields), db.FromMicros(at), db.FromMicros(due), db.FromMicros(shown), db.FromMicros(told)
	return t, err
}

const tellJob = "privacy.tell"

type tellPayload struct{ Task string }

// CorrectedTx notes in the transaction of a change that columns of a person hold
// something else now, and makes a task for each recipient that was sent one of
// them (clause TY-6.2). With the transaction everything is there or nothing.
func (s *Service) CorrectedTx(ctx context.Context, tx *db.Tx, subject id.Handle, columns ...string) error {
	c := Corrected{ID: id.New("cor"), Fields: columns, At: s.d.Clock.Now()}
	_, err := tx.Exec(ctx, "INSERT INTO privacy_correction (id, subject, fields, at) VALUES ($1, $2, $3, $4)",
		c.ID, string(subject), strings.Join(columns, " "), db.Micros(c.At))
	if err != nil {
		return err
	}
	sent := slices.Clone(columns)
	for _, column := range columns {
		sent = append(sent, SentAs[column]...)
	}
	to, err := s.d.Audit.ReceivedTx(ctx, tx, subject, sent)
	if err != nil {
		return err
	}
	if mutant.Off("TY-6.2") {
		to = nil
	}
	for _, r := range to {
		if err := s.taskTx(ctx, tx, c, subject, r); err != nil {
			return err
		}
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "privacy.corrected", Subject: subject, Actor: audit.Actor{Class: vault.System},
		Detail: map[string]string{"correction": c.ID, "fields": strings.Join(columns, " ")},
	})
}

func (s *Service) taskTx(ctx context.Context, tx *db.Tx, c Corrected, subject id.Handle, r audit.Received) error {
	t := Task{ID: id.New("ctk"), Via: ByStaff}
	if s.d.Tellers[r.Recipient] != nil {
		t.Via = ByAdapter
	}
	_, err := tx.Exec(ctx, "INSERT INTO privacy_correction_task ("+taskColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', '')",
		t.ID, c.ID, string(subject), r.Recipient, r.LegalName, strings.Join(r.Fields, " "), t.Via, db.Micros(c.At), db.Micros(c.At.Add(tellLife)), db.Micros(r.Shown))
	if err != nil || t.Via == ByStaff {
		return err
	}
	return s.d.Queue.EnqueueTx(ctx, tx, tellingOf(t.ID))
}

func tellingOf(task string) job.Job {
	return job.Job{Kind: tellJob, Payload: tellPayload{task}, Key: tellJob + "/" + task}
}

// tell has an adapter tell its recipient; what it cannot tell is a task of staff.
func (s *Service) tell(ctx context.Context, p tellPayload) error {
	t, err := db.Get(ctx, s.d.DB, ErrNoTask, scanTask, "SELECT "+taskColumns+" FROM privacy_correction_task WHERE id = $1", p.Task)
	if errs.IsNotFound(err) {
		return nil // erased with the person
	}
	if err != nil || !t.ToldAt.IsZero() || t.Via != ByAdapter {
		return err
	}
	teller := s.d.Tellers[t.Recipient]
	receipt := ""
	if err = ErrByHand; teller != nil {
		receipt, err = teller.Tell(ctx, t)
	}
	fault.Point("privacy-after-tell")
	if errors.Is(err, ErrByHand) {
		return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE privacy_correction_task SET via = 'staff' WHERE id = $1 AND told_at = 0", t.ID)
			return err
		})
	}
	if err != nil {
		return err
	}
	err = s.toldTx(ctx, t, receipt, audit.Actor{Class: vault.Job, Session: tellJob})
	if errors.Is(err, ErrNoTask) {
		return nil // told by a run that was cut off
	}
	return err
}

// toldTx ends a task by its receipt.
func (s *Service) toldTx(ctx context.Context, t Task, receipt string, by audit.Actor) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		err := tx.ExecOne(ctx, ErrNoTask, "UPDATE privacy_correction_task SET told_at = $1, told_by = $2, receipt = $3 WHERE id = $4 AND told_at = 0",
			db.Micros(s.d.Clock.Now()), string(by.Handle), receipt, t.ID)
		if err != nil {
			return err
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "privacy.correction_told", Subject: t.Subject, Actor: by,
			Detail: map[string]string{"correction": t.Correction, "recipient": t.Recipient, "receipt": receipt},
		})
	})
}

// Told notes that a member of the staff told a recipient, and by what that can be
// proved: the number of a letter or ticket. Errors: ErrNoTask, ErrOwn,
// ErrReceipt, ErrPersonal.
func (s *Service) Told(ctx context.Context, p account.Principal, task, receipt string) error {
	receipt = strings.TrimSpace(receipt)
	switch {
	case receipt == "":
		return ErrReceipt
	case slogx.Scrub(receipt) != receipt:
		return ErrPersonal
	}
	t, err := db.Get(ctx, s.d.DB, ErrNoTask, scanTask, "SELECT "+taskColumns+" FROM privacy_correction_task WHERE id = $1", task)
	if err != nil {
		return err
	}
	if t.Subject == p.Subject {
		return ErrOwn
	}
	return s.toldTx(ctx, t, receipt, audit.Actor{Class: vault.Staff, Handle: p.Subject, Session: p.Session})
}

// Untold lists the tasks that are not done, the first due first, for staff.
func (s *Service) Untold(ctx context.Context) ([]Task, error) {
	return db.Select(ctx, s.d.DB, scanTask, "SELECT "+taskColumns+" FROM privacy_correction_task WHERE told_at = 0 ORDER BY due_at, id LIMIT 500")
}

// CorrectionsOf lists what of a person was corrected, newest first, and who was
// told, but for what an order of an authority hides for now.
func (s *Service) CorrectionsOf(ctx context.Context, subject id.Handle) ([]Corrected, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (c Corrected, err error) {
		var at int64
		var fields string
		err = r.Scan(&c.ID, &fields, &at)
		c.Fields, c.At = strings.Fields(fields), db.FromMicros(at)
		return c, err
	}, "SELECT id, fields, at FROM privacy_correction WHERE subject = $1 ORDER BY at DESC, id DESC LIMIT 100", string(subject))
	if err != nil {
		return nil, err
	}
	tasks, err := db.Select(ctx, s.d.DB, scanTask, "SELECT "+taskColumns+" FROM privacy_correction_task WHERE subject = $1 AND shown_from <= $2 ORDER BY recipient, id",
		string(subject), db.Micros(s.d.Clock.Now()))
	for _, t := range tasks {
		if i := slices.IndexFunc(all, func(c Corrected) bool { return c.ID == t.Correction }); i >= 0 {
			all[i].Tasks = append(all[i].Tasks, t)
		}
	}
	return all, err
}

// UntoldCorrections counts the tasks, and those of them whose time is over.
func (s *Service) UntoldCorrections(ctx context.Context) (examined, found int64, err error) {
	if examined, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM privacy_correction_task"); err != nil {
		return 0, 0, err
	}
	found, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM privacy_correction_task WHERE told_at = 0 AND due_at <= $1", db.Micros(s.d.Clock.Now()))
	return examined, found, err
}

// tellAgain revives what adapters gave up, every hour.
func (s *Service) tellAgain(ctx context.Context) error {
	waiting, err := db.Select(ctx, s.d.DB, db.One[string], "SELECT id FROM privacy_correction_task WHERE told_at = 0 AND via = 'adapter' ORDER BY due_at LIMIT 500")
	if err != nil || len(waiting) == 0 {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, task := range waiting {
			if err := s.d.Queue.EnqueueTx(ctx, tx, tellingOf(task)); err != nil {
				return err
			}
		}
		return nil
	})
}

// CorrectingTx returns whose open case asks for a correction, once it is known
// who asks. It fills realname.Cases.
func (s *Service) CorrectingTx(ctx context.Context, tx *db.Tx, caseID string) (id.Handle, error) {
	r, err := byID(ctx, tx, caseID)
	if err != nil {
		return "", err
	}
	if (r.Kind != Correct && r.Kind != Supplement) || r.State != Received || r.Identity != IdentityKnown {
		return "", ErrNotFound
	}
	return r.Subject, nil
}
