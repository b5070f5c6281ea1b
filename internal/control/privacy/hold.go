package privacy

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Errors of holds.
var (
	ErrHold   = errs.New(errs.Unprocessable, "privacy.hold_invalid") // params: why
	ErrNoHold = errs.New(errs.NotFound, "privacy.hold_not_found")
)

const (
	holdReview  = 12 // months after which a hold is placed anew, or ends
	longestText = 200
)

// Hold keeps what is held of a person, or a whole class, beyond its time because
// a law or an authority wants it. It has an end, within twelve months: who still
// needs it then places another.
type Hold struct {
	ID        string
	Subject   id.Handle // empty: of everybody
	Class     string    // retention class; empty: every class
	Law       string    // the article it rests on
	Authority string    // who asked for it
	PlacedBy  id.Handle
	PlacedAt  time.Time
	Until     time.Time
	EndedAt   time.Time // before its time; zero: not
}

// over is when the hold ended, or ends.
func (h Hold) over() time.Time {
	if h.EndedAt.IsZero() {
		return h.Until
	}
	return h.EndedAt
}

// holds reports whether the hold keeps what a class holds of a person; an empty
// subject asks for anybody's.
func (h Hold) holds(class string, subject id.Handle) bool {
	return (h.Class == "" || h.Class == class) && (h.Subject == "" || subject == "" || h.Subject == subject)
}

func (h Hold) check(now time.Time) error {
	latest := civil.DayOf(now).AddMonths(holdReview).End()
	switch {
	case strings.TrimSpace(h.Law) == "" || len([]rune(h.Law)) > longestText:
		return ErrHold.With("why", "law")
	case strings.TrimSpace(h.Authority) == "" || len([]rune(h.Authority)) > longestText:
		return ErrHold.With("why", "authority")
	case !h.Until.After(now) || h.Until.After(latest):
		return ErrHold.With("why", "until")
	case h.Class != "" && !retention.Known(h.Class):
		return ErrHold.With("why", "class")
	case h.Class == "" && h.Subject == "":
		return ErrHold.With("why", "scope")
	}
	return nil
}

// PlaceHold keeps from now on what it names. Errors: ErrHold.
func (s *Service) PlaceHold(ctx context.Context, p account.Principal, h Hold) (Hold, error) {
	now := s.d.Clock.Now()
	h.ID, h.PlacedBy, h.PlacedAt, h.EndedAt = id.New("hold"), p.Subject, now, time.Time{}
	if err := h.check(now); err != nil {
		return Hold{}, err
	}
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO privacy_hold (id, subject, class, law, authority, placed_by, placed_at, until, ended_by, ended_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0)`,
			h.ID, h.Subject, h.Class, h.Law, h.Authority, h.PlacedBy, db.Micros(now), db.Micros(h.Until))
		if err != nil {
			return err
		}
		return s.holdLeaf(ctx, tx, "hold.placed", p, h)
	})
	return h, err
}

// EndHold ends a hold before its time; the next run destroys what is over.
// Ending twice is not an error.
func (s *Service) EndHold(ctx context.Context, p account.Principal, hold string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		h, err := db.Get(ctx, tx, ErrNoHold, scanHold, "SELECT "+holdColumns+" FROM privacy_hold WHERE id = $1", hold)
		if err != nil || !h.EndedAt.IsZero() {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE privacy_hold SET ended_by = $1, ended_at = $2 WHERE id = $3 AND ended_at = 0",
			p.Subject, db.Micros(s.d.Clock.Now()), hold)
		if err != nil {
			return err
		}
		return s.holdLeaf(ctx, tx, "hold.ended", p, h)
	})
}

func (s *Service) holdLeaf(ctx context.Context, tx *db.Tx, kind string, p account.Principal, h Hold) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: h.Subject, Actor: audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session},
		Object: h.ID, Detail: map[string]string{"hold": h.ID, "class": h.Class, "law": h.Law, "authority": h.Authority, "until": h.Until.UTC().Format(time.RFC3339)},
	})
}

const holdColumns = "id, subject, class, law, authority, placed_by, placed_at, until, ended_at"

func scanHold(r db.Row) (h Hold, err error) {
	var placed, until, ended int64
	err = r.Scan(&h.ID, &h.Subject, &h.Class, &h.Law, &h.Authority, &h.PlacedBy, &placed, &until, &ended)
	h.PlacedAt, h.Until, h.EndedAt = db.FromMicros(placed), db.FromMicros(until), db.FromMicros(ended)
	return h, err
}

// Holds lists the holds, newest first.
func (s *Service) Holds(ctx context.Context) ([]Hold, error) {
	return db.Select(ctx, s.d.DB, scanHold, "SELECT "+holdColumns+" FROM privacy_hold ORDER BY placed_at DESC, id DESC LIMIT 500")
}

// HeldOf lists the live holds on what is held of a person: the person may know.
func (s *Service) HeldOf(ctx context.Context, subject id.Handle) ([]Hold, error) {
	return db.Select(ctx, s.d.DB, scanHold, "SELECT "+holdColumns+
		" FROM privacy_hold WHERE subject IN ($1, '') AND until > $2 AND ended_at = 0 ORDER BY placed_at DESC, id DESC",
		subject, db.Micros(s.d.Clock.Now()))
}

// heldNow answers for the holds that are live at a time.
func (s *Service) heldNow(ctx context.Context, now time.Time) (func(class string, subject id.Handle) bool, error) {
	live, err := db.Select(ctx, s.d.DB, scanHold, "SELECT "+holdColumns+" FROM privacy_hold WHERE until > $1 AND ended_at = 0", db.Micros(now))
	if err != nil {
		return nil, err
	}
	return func(class string, subject id.Handle) bool {
		for _, h := range live {
			if h.holds(class, subject) {
				return true
			}
		}
		return false
	}, nil
}

// Holding reports whether a live hold keeps one of the classes of a person.
func (s *Service) Holding(ctx context.Context, subject id.Handle, classes []string) (bool, error) {
	held, err := s.heldNow(ctx, s.d.Clock.Now())
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(classes, func(class string) bool { return held(class, subject) }), nil
}
