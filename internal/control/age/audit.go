package age

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// waitDays is how long an account waits for a guardian's written consent before
// what is held of the minor is erased.
const waitDays = 30

// Daily erases accounts whose guardian never consented, restricts and later erases
// those whose guardian is gone, opens the audit of the year, and tells staff of one
// that is due.
func (s *Service) Daily(ctx context.Context) error {
	if err := s.eraseAbandoned(ctx); err != nil {
		return err
	}
	if err := s.watchVacancies(ctx); err != nil {
		return err
	}
	if err := s.openAudit(ctx, s.today().Year); err != nil {
		return err
	}
	all, err := s.Audits(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		now := s.d.Clock.Now()
		switch {
		case !a.MadeAt.IsZero() || now.Before(yearEnd(a.Year)):
		case now.Before(a.Due):
			s.d.Log.WarnContext(ctx, "the yearly audit of minors is due", "count", a.Year)
		default:
			s.d.Log.ErrorContext(ctx, "the yearly audit of minors is past due", "count", a.Year)
		}
	}
	return nil
}

func (s *Service) eraseAbandoned(ctx context.Context) error {
	all, err := s.Waiting(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Left || s.d.Clock.Now().Before(w.EraseAt()) {
			continue // watchVacancies deals with whose guardian left
		}
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.eraseTx(ctx, tx, w.Subject, w.Account) })
		if err != nil {
			return fmt.Errorf("erasing an account without a guardian's consent: %w", err)
		}
	}
	return nil
}

// Audit is the audit of how minors' data were handled in a civil year
// (Regulations on the Protection of Minors in Cyberspace 37): due by the end of
// 31 January of the next.
type Audit struct {
	Year   int
	Due    time.Time
	MadeAt time.Time // zero: not made yet
	MadeBy id.Handle
	SHA256 string
	Body   string // JSON, a Pack
}

// Pack is what an audit says. It names nobody.
type Pack struct {
	Year    int              `json:"year"`
	Profile string           `json:"profile"`
	MadeAt  time.Time        `json:"made_at"`
	Bands   map[Band]int64   `json:"bands"`  // minors on the day it was made
	Counts  map[string]int64 `json:"counts"` // of the year, by what was counted
}

// counted are the sums of a pack; one that is missing is zero.
var counted = []string{"refused", "guardian_consent", "read", "read_approved", "read_refused", "erasure"}

func (s *Service) openAudit(ctx context.Context, year int) error {
	due := civil.Day{Year: year + 1, Month: time.January, Day: 31}.End()
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO age_audit (year, due_at, made_at, made_by, sha256, body) VALUES ($1, $2, 0, '', '', '') ON CONFLICT DO NOTHING",
			int64(year), db.Micros(due))
		return err
	})
}

// Audits lists the yearly audits, the newest first.
func (s *Service) Audits(ctx context.Context) ([]Audit, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (a Audit, err error) {
		var year, due, made int64
		err = r.Scan(&year, &due, &made, &a.MadeBy, &a.SHA256, &a.Body)
		a.Year, a.Due, a.MadeAt = int(year), db.FromMicros(due), db.FromMicros(made)
		return a, err
	}, "SELECT year, due_at, made_at, made_by, sha256, body FROM age_audit ORDER BY year DESC")
}

// MakeAudit makes the pack of a year that is over, once. ErrYear: it is not;
// ErrNotFound: there is none to make.
func (s *Service) MakeAudit(ctx context.Context, by By, year int) (Pack, error) {
	p := Pack{Year: year, Profile: s.d.Profile, MadeAt: s.d.Clock.Now()}
	if p.MadeAt.Before(yearEnd(year)) {
		return p, ErrYear
	}
	return p, s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		if p.Bands, err = s.countBands(ctx, tx); err != nil {
			return err
		}
		if p.Counts, err = countsOf(ctx, tx, year); err != nil {
			return err
		}
		body, err := json.Marshal(p)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		digest := hex.EncodeToString(sum[:])
		err = tx.ExecOne(ctx, ErrNotFound, "UPDATE age_audit SET made_at = $1, made_by = $2, sha256 = $3, body = $4 WHERE year = $5 AND made_at = 0",
			db.Micros(p.MadeAt), string(by.Handle), digest, string(body), int64(year))
		if err != nil {
			return err
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "age.audit_made", Actor: by.staff(), Detail: map[string]string{"year": fmt.Sprint(year), "sha256": digest},
		})
	})
}

func (s *Service) countBands(ctx context.Context, q db.Q) (map[Band]int64, error) {
	all, err := db.Select(ctx, q, scanEvent, "SELECT "+eventColumns+" FROM age_event ORDER BY subject, at, id")
	if err != nil {
		return nil, err
	}
	of := map[id.Handle][]Event{}
	for _, e := range all {
		of[e.Subject] = append(of[e.Subject], e)
	}
	n := map[Band]int64{Child: 0, Fifteen: 0, Youth: 0}
	for _, events := range of {
		if _, band := known(events, s.today()); band.Minor() {
			n[band]++
		}
	}
	return n, nil
}

func countsOf(ctx context.Context, q db.Q, year int) (map[string]int64, error) {
	n := map[string]int64{}
	for _, what := range counted {
		got, err := db.Get(ctx, q, ErrNotFound, db.One[int64], "SELECT n FROM age_count WHERE year = $1 AND what = $2", int64(year), what)
		if err != nil && !errs.IsNotFound(err) {
			return nil, err
		}
		n[what] = got
	}
	return n, nil
}
