package age

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// readLife is how long an approved reading may follow.
const readLife = time.Hour

// TwoPersons stands before a read log: staff read what is held of a minor, or of
// somebody whose age is not known, only after another member of the staff
// approved it (Regulations on the Protection of Minors in Cyberspace 36). A
// refusal is recorded and becomes a question to the others.
func (s *Service) TwoPersons(next vault.ReadLog) vault.ReadLog { return twoPersons{s, next} }

type twoPersons struct {
	s    *Service
	next vault.ReadLog
}

func (t twoPersons) RecordRead(ctx context.Context, r vault.Read) (string, error) {
	if r.Reader.Class == vault.Staff && r.Reader.Handle != r.Subject {
		if err := t.s.admitRead(ctx, r); err != nil {
			return "", err
		}
	}
	return t.next.RecordRead(ctx, r)
}

func (s *Service) admitRead(ctx context.Context, r vault.Read) error {
	minor, err := s.treatedAsMinor(ctx, r.Subject)
	if err != nil || !minor {
		return err
	}
	now, shut := s.d.Clock.Now(), error(nil)
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		live, err := db.Get(ctx, tx, nil, db.One[int64], `SELECT count(*) FROM age_read
			WHERE subject = $1 AND reader = $2 AND purpose = $3 AND reason = $4 AND approved_at > $5 AND approver <> reader`,
			string(r.Subject), string(r.Reader.Handle), r.Purpose, r.Reason, db.Micros(now.Add(-readLife)))
		if err != nil {
			return err
		}
		if live > 0 {
			return s.countTx(ctx, tx, "read")
		}
		shut = ErrSecond
		return s.askTx(ctx, tx, r)
	})
	if err != nil {
		return err
	}
	return shut
}

// treatedAsMinor holds for minors, and for who never stated an age.
func (s *Service) treatedAsMinor(ctx context.Context, subject id.Handle) (bool, error) {
	all, err := s.events(ctx, s.d.DB, subject)
	if err != nil {
		return true, err
	}
	if len(all) > 0 {
		_, band := known(all, s.today())
		return band.Minor(), nil
	}
	adult, err := s.d.Statements.StatedAdult(ctx, subject)
	return !adult, err
}

// askTx records the refusal, and one question while none is open.
func (s *Service) askTx(ctx context.Context, tx *db.Tx, r vault.Read) error {
	now := s.d.Clock.Now()
	if err := s.countTx(ctx, tx, "read_refused"); err != nil {
		return err
	}
	by := By{r.Reader.Handle, r.Reader.Session}
	if err := s.leafTx(ctx, tx, "age.read_refused", r.Subject, by.staff(), map[string]string{"purpose": r.Purpose, "reason": r.Reason}); err != nil {
		return err
	}
	_, err := db.Get(ctx, tx, ErrNotFound, db.One[string], `SELECT id FROM age_read
		WHERE subject = $1 AND reader = $2 AND purpose = $3 AND reason = $4 AND approved_at = 0 AND asked_at > $5`,
		string(r.Subject), string(r.Reader.Handle), r.Purpose, r.Reason, db.Micros(now.Add(-askLife)))
	if !errs.IsNotFound(err) {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO age_read (id, subject, reader, purpose, reason, asked_at, approver, approved_at) VALUES ($1, $2, $3, $4, $5, $6, '', 0)",
		id.New("mrd"), string(r.Subject), string(r.Reader.Handle), r.Purpose, r.Reason, db.Micros(now))
	return err
}

// askLife is how long a question waits for a second person.
const askLife = 24 * time.Hour

// Reading is one that a member of the staff asked for.
type Reading struct {
	ID         string
	Subject    id.Handle
	Reader     id.Handle
	Purpose    string
	Reason     string
	AskedAt    time.Time
	Approver   id.Handle
	ApprovedAt time.Time
}

func scanReading(r db.Row) (x Reading, err error) {
	var asked, approved int64
	err = r.Scan(&x.ID, &x.Subject, &x.Reader, &x.Purpose, &x.Reason, &asked, &x.Approver, &approved)
	x.AskedAt, x.ApprovedAt = db.FromMicros(asked), db.FromMicros(approved)
	return x, err
}

const readingColumns = "id, subject, reader, purpose, reason, asked_at, approver, approved_at"

// Readings lists those that wait for a second person, the oldest first.
func (s *Service) Readings(ctx context.Context) ([]Reading, error) {
	return db.Select(ctx, s.d.DB, scanReading, "SELECT "+readingColumns+" FROM age_read WHERE approved_at = 0 AND asked_at > $1 ORDER BY asked_at, id LIMIT 500",
		db.Micros(s.d.Clock.Now().Add(-askLife)))
}

// ApproveReading opens a reading to who asked for it, for an hour. ErrSame: the
// reader, or the minor; ErrNotFound: unknown, approved, or too old.
func (s *Service) ApproveReading(ctx context.Context, by By, reading string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now := s.d.Clock.Now()
		x, err := db.Get(ctx, tx, ErrNotFound, scanReading, "SELECT "+readingColumns+" FROM age_read WHERE id = $1 AND approved_at = 0 AND asked_at > $2",
			reading, db.Micros(now.Add(-askLife)))
		if err != nil {
			return err
		}
		if x.Reader == by.Handle || x.Subject == by.Handle {
			return ErrSame
		}
		err = tx.ExecOne(ctx, ErrNotFound, "UPDATE age_read SET approver = $1, approved_at = $2 WHERE id = $3 AND approved_at = 0", string(by.Handle), db.Micros(now), x.ID)
		if err != nil {
			return err
		}
		if err := s.countTx(ctx, tx, "read_approved"); err != nil {
			return err
		}
		return s.leafTx(ctx, tx, "age.read_approved", x.Subject, by.staff(), map[string]string{"reader": string(x.Reader), "purpose": x.Purpose, "reason": x.Reason})
	})
}

// Minor tells whether a person is known to be under age. Who never stated an age,
// as the users of SSL clients, is not.
func (s *Service) Minor(ctx context.Context, subject id.Handle) (bool, error) {
	all, err := s.events(ctx, s.d.DB, subject)
	if err != nil || len(all) == 0 {
		return false, err
	}
	_, band := known(all, s.today())
	return band.Minor(), nil
}
