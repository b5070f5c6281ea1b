package privacy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Errors.
var (
	ErrNoArrangement = errs.New(errs.NotFound, "privacy.arrangement_not_found")
	ErrNotDeceased   = errs.New(errs.Conflict, "privacy.not_deceased") // opened for an open request of relatives only
)

// Arrangement is what a person wants to happen with their data after their
// death; it binds what relatives may ask for (PIPL 49, clause SUP-4).
type Arrangement struct {
	Words string
	At    time.Time
}

type arrangement struct {
	subject id.Handle
	words   []byte
	at      time.Time
}

func arrangementRef(subject id.Handle) vault.Ref {
	return vault.Ref{Table: "privacy_arrangement", Column: "words", Row: string(subject), Subject: subject, Class: erasable}
}

// Arrange keeps the words of a person, in place of earlier ones; none takes them
// back. Errors: ErrWordsLong.
func (s *Service) Arrange(ctx context.Context, p account.Principal, words string) error {
	words = strings.TrimSpace(words)
	if utf8.RuneCountInString(words) > maxWords {
		return ErrWordsLong
	}
	sealed, err := s.d.Vault.Seal(ctx, arrangementRef(p.Subject), []byte(words))
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM privacy_arrangement WHERE subject = $1", string(p.Subject)); err != nil {
			return err
		}
		if words != "" {
			_, err := tx.Exec(ctx, "INSERT INTO privacy_arrangement (subject, words, at) VALUES ($1, $2, $3)", string(p.Subject), sealed, db.Micros(s.d.Clock.Now()))
			if err != nil {
				return err
			}
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "privacy.arrangement_set", Subject: p.Subject, Account: string(p.Account),
			Actor: audit.Actor{Class: vault.Self, Handle: p.Subject, Session: p.Session},
		})
	})
}

// Arrangement opens a person's own words; the zero value is of who has none.
func (s *Service) Arrangement(ctx context.Context, p account.Principal) (Arrangement, error) {
	a, err := s.arrangementOf(ctx, p.Subject, vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}, "own")
	if errors.Is(err, ErrNoArrangement) {
		return Arrangement{}, nil
	}
	return a, err
}

// ArrangementOf opens the words of somebody who is said to have died, by user
// name, for staff who handle an open request of relatives. Errors: ErrNobody,
// ErrNotDeceased, ErrOwn, ErrNoArrangement.
func (s *Service) ArrangementOf(ctx context.Context, p account.Principal, request, name string) (Arrangement, error) {
	r, err := byID(ctx, s.d.DB, request)
	if err != nil {
		return Arrangement{}, err
	}
	_, deceased, err := s.personBy(ctx, name)
	switch {
	case err != nil:
		return Arrangement{}, err
	case r.Subject == p.Subject || deceased == p.Subject:
		return Arrangement{}, ErrOwn
	case r.Kind != Deceased || !r.State.open() || r.Subject == deceased:
		return Arrangement{}, ErrNotDeceased
	}
	return s.arrangementOf(ctx, deceased, vault.Reader{Class: vault.Staff, Handle: p.Subject, Session: p.Session}, r.ID)
}

func (s *Service) arrangementOf(ctx context.Context, subject id.Handle, by vault.Reader, reason string) (Arrangement, error) {
	a, err := db.Get(ctx, s.d.DB, ErrNoArrangement, func(row db.Row) (a arrangement, err error) {
		var at int64
		err = row.Scan(&a.subject, &a.words, &at)
		a.at = db.FromMicros(at)
		return a, err
	}, "SELECT subject, words, at FROM privacy_arrangement WHERE subject = $1", string(subject))
	if err != nil {
		return Arrangement{}, err
	}
	ref := arrangementRef(subject)
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{Reader: by, Subject: subject, Fields: []string{ref.Field()}, Purpose: "rights", Reason: reason})
	if err != nil {
		return Arrangement{}, err
	}
	words, err := s.d.Vault.Open(ctx, ticket, ref, a.words)
	if err != nil {
		return Arrangement{}, fmt.Errorf("opening the arrangement of %s: %w", subject, err)
	}
	return Arrangement{string(words), a.at}, nil
}
