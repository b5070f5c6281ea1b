package audit

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// A reader opens the data of at most readPeople people within readWindow: the
// next one takes a second person.
const (
	readPeople = 50
	readWindow = time.Hour
)

// Errors of the limit.
var (
	ErrStopped  = errs.New(errs.Forbidden, "audit.reads_stopped") // a second person has to allow it
	ErrNoStop   = errs.New(errs.NotFound, "audit.no_stop")
	ErrSameHand = errs.New(errs.Forbidden, "audit.same_person") // who was stopped does not allow it
	ErrWhy      = errs.New(errs.Unprocessable, "audit.reason_needed")
)

// Stop is a reader who was stopped.
type Stop struct {
	ID         string
	Class      string // of the reader: staff or job
	Reader     string // handle, or the kind of the job
	At         time.Time
	Tries      int64 // readings refused since, the first included
	Releaser   id.Handle
	Reason     string
	ReleasedAt time.Time // zero: it stands
}

const stopColumns = "id, class, reader, at, tries, releaser, reason, released_at"

func scanStop(r db.Row) (s Stop, err error) {
	var at, released int64
	err = r.Scan(&s.ID, &s.Class, &s.Reader, &at, &s.Tries, &s.Releaser, &s.Reason, &released)
	s.At, s.ReleasedAt = db.FromMicros(at), db.FromMicros(released)
	return s, err
}

// limited returns who is counted for a reading; empty for nobody: people read of
// themselves, what the system does for them as they act, orders of authorities
// (two persons approved each), and jobs that are told to serve everybody.
func (s *Service) limited(r vault.Read) string {
	switch {
	case r.Reader.Class == vault.Staff && r.Reader.Handle != r.Subject:
		return string(r.Reader.Handle)
	case r.Reader.Class == vault.Job && s.serves[r.Reader.Session] == "":
		return cmp.Or(r.Reader.Session, "unnamed")
	}
	return ""
}

// admitTx reports whether a reading has to stop. It counts in the transaction
// that records the reading, so that no two at once are both the fiftieth.
func (s *Service) admitTx(ctx context.Context, tx *db.Tx, r vault.Read) (stopped bool, err error) {
	reader := s.limited(r)
	if reader == "" {
		return false, nil
	}
	n, err := tx.Exec(ctx, "UPDATE audit_stop SET tries = tries + 1 WHERE class = $1 AND reader = $2 AND released_at = 0", r.Reader.Class, reader)
	if err != nil || n > 0 {
		return n > 0, err
	}
	people, err := s.peopleTx(ctx, tx, r, reader)
	if err != nil || people < readPeople {
		return false, err
	}
	x := Stop{ID: id.New("stop"), Class: r.Reader.Class, Reader: reader, At: s.clock.Now()}
	_, err = tx.Exec(ctx, "INSERT INTO audit_stop (id, class, reader, at, tries, releaser, reason, released_at) VALUES ($1, $2, $3, $4, 1, '', '', 0)",
		x.ID, x.Class, x.Reader, db.Micros(x.At))
	if err != nil {
		return false, err
	}
	return true, s.stopLeafTx(ctx, tx, "read.stopped", x, Actor{Class: r.Reader.Class, Handle: r.Reader.Handle, Session: r.Reader.Session})
}

// peopleTx counts the others whose data a reader opened within the window, or
// since a second person allowed more.
func (s *Service) peopleTx(ctx context.Context, tx *db.Tx, r vault.Read, reader string) (int64, error) {
	released, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT coalesce(max(released_at), 0) FROM audit_stop WHERE class = $1 AND reader = $2", r.Reader.Class, reader)
	if err != nil {
		return 0, err
	}
	since := max(released-1, db.Micros(s.clock.Now().Add(-readWindow)))
	if r.Reader.Class == vault.Job {
		return db.Get(ctx, tx, nil, db.One[int64], `SELECT count(DISTINCT handle) FROM audit_read
			WHERE class = 'job' AND reader = $1 AND session = $2 AND at > $3 AND handle <> $4`, string(r.Reader.Handle), r.Reader.Session, since, string(r.Subject))
	}
	return db.Get(ctx, tx, nil, db.One[int64], `SELECT count(DISTINCT handle) FROM audit_read
		WHERE class = 'staff' AND reader = $1 AND at > $2 AND handle <> $3 AND handle <> reader`, reader, since, string(r.Subject))
}

func (s *Service) stopLeafTx(ctx context.Context, tx *db.Tx, kind string, x Stop, by Actor) error {
	e := Event{Type: kind, Actor: by, Detail: map[string]string{"stop": x.ID, "class": x.Class, "reader": x.Reader}}
	if x.Class == vault.Staff {
		e.Subject = id.Handle(x.Reader)
	}
	return s.AppendTx(ctx, tx, e)
}

// Stops lists readers who were stopped: those who still are, then the newest.
func (s *Service) Stops(ctx context.Context) ([]Stop, error) {
	return db.Select(ctx, s.db, scanStop, "SELECT "+stopColumns+` FROM audit_stop
		ORDER BY CASE WHEN released_at = 0 THEN 0 ELSE 1 END, at DESC, id LIMIT 200`)
}

// StopsStanding counts readers who are stopped.
func (s *Service) StopsStanding(ctx context.Context) (int64, error) {
	return db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM audit_stop WHERE released_at = 0")
}

// Release lets a reader go on, who is counted anew from now. ErrSameHand: nobody
// allows it to themselves; ErrNoStop: unknown, or released before.
func (s *Service) Release(ctx context.Context, by Actor, stop, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return ErrWhy
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		x, err := db.Get(ctx, tx, ErrNoStop, scanStop, "SELECT "+stopColumns+" FROM audit_stop WHERE id = $1 AND released_at = 0", stop)
		if err != nil {
			return err
		}
		if x.Reader == string(by.Handle) || by.Handle == "" {
			return ErrSameHand
		}
		err = tx.ExecOne(ctx, ErrNoStop, "UPDATE audit_stop SET releaser = $1, reason = $2, released_at = $3 WHERE id = $4 AND released_at = 0",
			string(by.Handle), reason, db.Micros(s.clock.Now()), x.ID)
		if err != nil {
			return err
		}
		return s.stopLeafTx(ctx, tx, "read.released", x, by)
	})
}
