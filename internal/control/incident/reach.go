package incident

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// patience is how long a mail or a notice in a client may take before its person
// counts as not reached.
const patience = 24 * time.Hour

// announceAbove is the share in percent of people not reached from which on an
// announcement is owed, itself not included.
const announceAbove = 5

// Reach is how far the newest notice has come.
type Reach struct {
	Told        int64 // have it before them
	Reached     int64 // of them: a mail went out, they saw it, or staff spoke to them
	Unreachable int64 // of them: they did not within a day, or cannot be mailed
}

// owes tells whether an announcement is due (clause LT-5.2c).
func (r Reach) owes() bool {
	return r.Unreachable*100 > r.Told*announceAbove && !mutant.Off("LT-5.2c")
}

// reach counts the newest notice's deliveries; zero without one.
func (s *Service) reach(ctx context.Context, q db.Q, incident string) (r Reach, err error) {
	n, err := lastSent(ctx, q, incident)
	if errs.IsNotFound(err) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	late := db.Bool(!s.d.Clock.Now().Before(n.SentAt.Add(patience)))
	return db.Get(ctx, q, nil, func(row db.Row) (r Reach, err error) { return r, row.Scan(&r.Told, &r.Reached, &r.Unreachable) },
		`SELECT count(*), coalesce(sum(CASE WHEN reached_at > 0 THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN reached_at = 0 AND (mail IN ('failed', 'skipped', 'gone') OR $2 = 1) THEN 1 ELSE 0 END), 0)
			FROM incident_delivery WHERE notice = $1`, n.ID, late)
}

// Task is something that staff do for one person: call, write, or find the
// guardian.
type Task struct {
	Incident  string
	Subject   string // handle
	Kind      string // phone, letter or guardian
	Outcome   string // reached, not_reached or no_contact; empty while it is open
	Reference string // tracking number of a letter, file number of a call
	MadeAt    time.Time
	ClosedAt  time.Time
	ClosedBy  string
}

// taskTx makes a task, or opens it again for a later notice.
func (s *Service) taskTx(ctx context.Context, tx *db.Tx, n Notice, subject, kind string) error {
	_, err := tx.Exec(ctx, `INSERT INTO incident_task (incident, subject, kind, outcome, reference, made_at, closed_at, closed_by)
		VALUES ($1, $2, $3, '', '', $4, 0, '') ON CONFLICT (incident, subject, kind) DO UPDATE SET outcome = '', reference = '', made_at = excluded.made_at,
		closed_at = 0, closed_by = '' WHERE incident_task.closed_at > 0 AND incident_task.made_at < $5`,
		n.Incident, subject, kind, db.Micros(s.d.Clock.Now()), db.Micros(n.SentAt))
	return err
}

// callOrWriteTx makes the tasks of the profile's channels that people do.
func (s *Service) callOrWriteTx(ctx context.Context, tx *db.Tx, n Notice, subject string) error {
	for _, kind := range []string{"letter", "phone"} {
		if !slices.Contains(s.Channels(), kind) {
			continue
		}
		if err := s.taskTx(ctx, tx, n, subject, kind); err != nil {
			return err
		}
	}
	return nil
}

// Tasks lists an incident's tasks from a person on, the open or the closed ones.
func (s *Service) Tasks(ctx context.Context, incident string, closed bool, after string, limit int) ([]Task, error) {
	return db.Select(ctx, s.d.DB, scanTask, `SELECT incident, subject, kind, outcome, reference, made_at, closed_at, closed_by FROM incident_task
		WHERE incident = $1 AND (closed_at > 0) = ($2 = 1) AND subject > $3 ORDER BY subject, kind LIMIT $4`,
		incident, db.Bool(closed), after, min(max(limit, 1), 500))
}

func scanTask(r db.Row) (t Task, err error) {
	var made, closed int64
	err = r.Scan(&t.Incident, &t.Subject, &t.Kind, &t.Outcome, &t.Reference, &made, &closed, &t.ClosedBy)
	t.MadeAt, t.ClosedAt = db.FromMicros(made), db.FromMicros(closed)
	return t, err
}

var reference = regexp.MustCompile(`^[A-Za-z0-9-]{0,40}$`)

// CloseTask notes how a task went. A letter that arrived has its tracking number
// as receipt. Who was reached by one way need not be by the other.
func (s *Service) CloseTask(ctx context.Context, p account.Principal, t Task) error {
	if !slices.Contains([]string{"reached", "not_reached", "no_contact"}, t.Outcome) {
		return ErrKind
	}
	if !reference.MatchString(t.Reference) || (t.Kind == "letter" && t.Outcome == "reached" && t.Reference == "") {
		return ErrReference
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now := db.Micros(s.d.Clock.Now())
		err := tx.ExecOne(ctx, ErrNotFound, `UPDATE incident_task SET outcome = $1, reference = $2, closed_at = $3, closed_by = $4
			WHERE incident = $5 AND subject = $6 AND kind = $7 AND closed_at = 0`, t.Outcome, t.Reference, now, string(p.Subject), t.Incident, t.Subject, t.Kind)
		if err != nil {
			return err
		}
		if t.Outcome == "reached" && t.Kind != "guardian" {
			if err := s.spokenToTx(ctx, tx, p, t, now); err != nil {
				return err
			}
		}
		return s.stepTx(ctx, tx, p, t.Incident, "task_closed", map[string]string{"kind": t.Kind, "outcome": t.Outcome, "reference": t.Reference})
	})
}

func (s *Service) spokenToTx(ctx context.Context, tx *db.Tx, p account.Principal, t Task, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE incident_delivery SET reached_at = $1 WHERE subject = $2 AND reached_at = 0
		AND notice IN (SELECT id FROM incident_notice WHERE incident = $3)`, now, t.Subject, t.Incident)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE incident_task SET outcome = 'reached', closed_at = $1, closed_by = $2
		WHERE incident = $3 AND subject = $4 AND kind <> 'guardian' AND closed_at = 0`, now, string(p.Subject), t.Incident, t.Subject)
	return err
}

// Announce makes the newest notice public, for those whom nothing else reaches.
// It is the same for everybody and about nobody.
func (s *Service) Announce(ctx context.Context, p account.Principal, incident string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := byID(ctx, tx, incident); err != nil {
			return err
		}
		n, err := lastSent(ctx, tx, incident)
		if err != nil {
			return err
		}
		fresh, err := tx.Exec(ctx, "INSERT INTO incident_announcement (notice, incident, staff, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			n.ID, incident, string(p.Subject), db.Micros(s.d.Clock.Now()))
		if err != nil || fresh == 0 {
			return err
		}
		return s.stepTx(ctx, tx, p, incident, "announced", map[string]string{"notice": n.ID, "sha256": n.SHA256})
	})
}

func announcedOf(ctx context.Context, q db.Q, incident string) ([]string, error) {
	return db.Select(ctx, q, db.One[string], "SELECT notice FROM incident_announcement WHERE incident = $1 ORDER BY at", incident)
}

// Announcement is a notice that everybody may read.
type Announcement struct {
	ID    string
	At    time.Time
	Title string
	Text  string
}

// Announcements lists what was announced, the newest first, in a language.
func (s *Service) Announcements(ctx context.Context, language string) ([]Announcement, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (a Announcement, err error) {
		var at int64
		n, err := scanNotice(with{r, []any{&at}})
		return Announcement{n.ID, db.FromMicros(at), n.Title(language), n.Text(s.d.Sender.Brand, language)}, err
	}, noticeSelect+", a.at FROM incident_notice n JOIN incident_announcement a ON a.notice = n.id ORDER BY a.at DESC LIMIT 50")
}

// watch tells of clocks that were missed, of announcements that are owed, and
// has those called whom a day did not reach.
func (s *Service) watch(ctx context.Context) error {
	all, err := db.Select(ctx, s.d.DB, scan, columns+" WHERE closed_at = 0 ORDER BY id")
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := s.look(ctx, i.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) look(ctx context.Context, incident string) error {
	if err := s.missed(ctx, incident); err != nil {
		return err
	}
	r, err := s.reach(ctx, s.d.DB, incident)
	if err != nil {
		return err
	}
	if r.owes() {
		if err := s.owe(ctx, incident, r); err != nil {
			return err
		}
	}
	return s.callLate(ctx, incident)
}

func (s *Service) missed(ctx context.Context, incident string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		all, err := clocksOf(ctx, tx, incident)
		if err != nil {
			return err
		}
		now := s.d.Clock.Now()
		for _, c := range all {
			if !c.running() || now.Before(c.Due) || !c.MissedAt.IsZero() {
				continue
			}
			_, err := tx.Exec(ctx, "UPDATE incident_clock SET missed_at = $1 WHERE incident = $2 AND rule = $3", db.Micros(now), incident, c.Rule)
			if err != nil {
				return err
			}
			if err := s.stepTx(ctx, tx, system, incident, "clock_missed", map[string]string{"rule": c.Rule}); err != nil {
				return err
			}
			s.d.Log.ErrorContext(ctx, "a limit of an incident is past", "incident", incident, "rule", c.Rule)
		}
		return nil
	})
}

func (s *Service) owe(ctx context.Context, incident string, r Reach) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		i, err := byID(ctx, tx, incident)
		if err != nil || !i.OwedAt.IsZero() {
			return err
		}
		i.OwedAt = s.d.Clock.Now()
		err = s.stepTx(ctx, tx, system, incident, "announcement_owed", map[string]string{"told": itoa(r.Told), "unreachable": itoa(r.Unreachable)})
		if err != nil {
			return err
		}
		return updateTx(ctx, tx, i)
	})
}

// callLate makes tasks for those whom the newest notice has not reached in a
// day.
func (s *Service) callLate(ctx context.Context, incident string) error {
	n, err := lastSent(ctx, s.d.DB, incident)
	if errs.IsNotFound(err) || (err == nil && s.d.Clock.Now().Before(n.SentAt.Add(patience))) {
		return nil
	}
	for after := ""; err == nil; {
		var page []string
		page, err = db.Select(ctx, s.d.DB, db.One[string], `SELECT subject FROM incident_delivery WHERE notice = $1 AND reached_at = 0 AND mail IN ('none', 'pending')
			AND subject > $2 AND NOT EXISTS (SELECT 1 FROM incident_task t WHERE t.incident = $3 AND t.subject = incident_delivery.subject
			AND t.kind <> 'guardian' AND t.made_at >= $4) ORDER BY subject LIMIT $5`, n.ID, after, incident, db.Micros(n.SentAt), pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			for _, subject := range page {
				if err := s.callOrWriteTx(ctx, tx, n, subject); err != nil {
					return err
				}
			}
			return nil
		})
		after = page[len(page)-1]
	}
	return err
}

// OwnNotice is a notice of an incident as the person who got it reads it.
type OwnNotice struct {
	ID, Incident, Title, Text string
	At, SeenAt                time.Time
}

// Mine lists the notices that a person got, the newest first, in a language.
func (s *Service) Mine(ctx context.Context, subject id.Handle, language string) ([]OwnNotice, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (o OwnNotice, err error) {
		var at, seen int64
		n, err := scanNotice(with{r, []any{&at, &seen}})
		return OwnNotice{n.ID, n.Incident, n.Title(language), n.Text(s.d.Sender.Brand, language), db.FromMicros(at), db.FromMicros(seen)}, err
	}, noticeSelect+", d.at, d.seen_at FROM incident_notice n JOIN incident_delivery d ON d.notice = n.id WHERE d.subject = $1 ORDER BY d.at DESC, n.id DESC LIMIT 100", string(subject))
}

// Unread counts the notices that a person got and has not read yet.
func (s *Service) Unread(ctx context.Context, q db.Q, subject id.Handle) (int, error) {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM incident_delivery WHERE subject = $1 AND seen_at = 0", string(subject))
	return int(n), err
}

// Seen notes that a person has read a notice: the receipt of a push.
func (s *Service) Seen(ctx context.Context, subject id.Handle, notice string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrNotFound, `UPDATE incident_delivery SET seen_at = CASE WHEN seen_at = 0 THEN $1 ELSE seen_at END,
			reached_at = CASE WHEN reached_at = 0 THEN $1 ELSE reached_at END WHERE notice = $2 AND subject = $3`,
			db.Micros(s.d.Clock.Now()), notice, string(subject))
	})
}
