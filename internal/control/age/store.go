package age

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "age", Files: sub}
}

const eventColumns = "id, subject, account, band, source, at"

func scanEvent(r db.Row) (e Event, err error) {
	var at int64
	err = r.Scan(&e.ID, &e.Subject, &e.Account, &e.Band, &e.Source, &at)
	e.At = db.FromMicros(at)
	return e, err
}

// events are all of a person, the oldest first.
func (s *Service) events(ctx context.Context, q db.Q, subject id.Handle) ([]Event, error) {
	return db.Select(ctx, q, scanEvent, "SELECT "+eventColumns+" FROM age_event WHERE subject = $1 ORDER BY at, id", string(subject))
}

// countTx adds one to a sum of the civil year.
func (s *Service) countTx(ctx context.Context, tx *db.Tx, what string) error {
	_, err := tx.Exec(ctx, "INSERT INTO age_count (year, what, n) VALUES ($1, $2, 1) ON CONFLICT (year, what) DO UPDATE SET n = age_count.n + 1",
		int64(s.today().Year), what)
	return err
}

// Consent is a guardian's consent. It counts once it is confirmed.
type Consent struct {
	Subject     id.Handle
	Account     string // of the minor
	Kind        Rule   // Guardian: from the guardian's account; Written: a signed document
	Guardian    id.Handle
	Document    string // SHA-256 of the signed document in hex
	SeenBy      id.Handle
	SeenAt      time.Time
	ConfirmedBy id.Handle
	ConfirmedAt time.Time // zero: the second person has not seen it
}

const consentColumns = "subject, account, kind, guardian, document, seen_by, seen_at, confirmed_by, confirmed_at"

func scanConsent(r db.Row) (c Consent, err error) {
	var seen, confirmed int64
	err = r.Scan(&c.Subject, &c.Account, &c.Kind, &c.Guardian, &c.Document, &c.SeenBy, &seen, &c.ConfirmedBy, &confirmed)
	c.SeenAt, c.ConfirmedAt = db.FromMicros(seen), db.FromMicros(confirmed)
	return c, err
}

// guardian finds the consent for a minor; ErrNotFound if there is none.
func guardian(ctx context.Context, q db.Q, subject id.Handle) (Consent, error) {
	return db.Get(ctx, q, ErrNotFound, scanConsent, "SELECT "+consentColumns+" FROM age_guardian WHERE subject = $1", string(subject))
}

func insertConsent(ctx context.Context, tx *db.Tx, c Consent) error {
	return tx.ExecOne(ctx, db.ErrRetry, "INSERT INTO age_guardian ("+consentColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
		string(c.Subject), c.Account, string(c.Kind), string(c.Guardian), c.Document, string(c.SeenBy), db.Micros(c.SeenAt), string(c.ConfirmedBy), db.Micros(c.ConfirmedAt))
}

// yearEnd is the first instant after a civil year.
func yearEnd(year int) time.Time {
	return civil.Day{Year: year + 1, Month: time.January, Day: 1}.Start()
}
