package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Place is where a person says that they live. All parts may be empty, not all
// at once.
type Place struct {
	Country  string // ISO 3166-1 alpha-2
	Province string
	City     string
}

// Own is what a person added, as they see it.
type Own struct {
	Phone        string // E.164; empty: none
	PhoneAt      time.Time
	PhoneWaiting bool // a number waits for its code
	QQ           string
	Place        Place
}

// Mine opens what a person added, for the person: one read event for each value.
func (s *Service) Mine(ctx context.Context, p account.Principal) (Own, error) {
	var o Own
	for kind, to := range map[string]*string{Phone: &o.Phone, QQ: &o.QQ} {
		text, _, err := s.own(ctx, p, kind)
		if err != nil {
			return o, err
		}
		*to = text
	}
	place, _, err := s.own(ctx, p, Region)
	if err != nil {
		return o, err
	}
	if place != "" {
		if err := json.Unmarshal([]byte(place), &o.Place); err != nil {
			return o, fmt.Errorf("decoding a place: %w", err)
		}
	}
	if o.Phone != "" {
		v, err := rowOf(ctx, s.d.DB, Phone, p.Subject)
		if err != nil && !errs.IsNotFound(err) {
			return o, err
		}
		o.PhoneAt = v.at
	}
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM contact_code WHERE subject = $1 AND at > $2",
		string(p.Subject), db.Micros(s.d.Clock.Now().Add(-CodeLife)))
	o.PhoneWaiting = n > 0
	return o, err
}

// own is a value of the person who asks; empty: none.
func (s *Service) own(ctx context.Context, p account.Principal, kind string) (string, time.Time, error) {
	v, err := rowOf(ctx, s.d.DB, kind, p.Subject)
	if errs.IsNotFound(err) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, err
	}
	text, err := s.read(ctx, tables[kind], vault.Read{
		Reader: vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}, Subject: p.Subject, Purpose: forPerson,
	}, v)
	return text, v.at, err
}

var qqForm = regexp.MustCompile(`^[1-9][0-9]{4,10}$`)

// SetQQ keeps a QQ number. token is of a prompt for QQ, or empty while its act
// stands. Errors: ErrQQ, and those of an act.
func (s *Service) SetQQ(ctx context.Context, p account.Principal, number, token string) error {
	number = strings.TrimSpace(number)
	if !qqForm.MatchString(number) {
		return ErrQQ
	}
	return s.set(ctx, p, QQ, number, token)
}

// SetPlace keeps a place. Errors: ErrRegion, and those of an act.
func (s *Service) SetPlace(ctx context.Context, p account.Principal, at Place, token string) error {
	at = Place{strings.ToUpper(clean(at.Country)), clean(at.Province), clean(at.City)}
	if at == (Place{}) || (at.Country != "" && !country.MatchString(at.Country)) || len([]rune(at.Province)) > 40 || len([]rune(at.City)) > 40 {
		return ErrRegion
	}
	text, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("encoding a place: %w", err)
	}
	return s.set(ctx, p, Region, string(text), token)
}

var country = regexp.MustCompile(`^[A-Z]{2}$`)

func clean(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

func (s *Service) set(ctx context.Context, p account.Principal, kind, value, token string) error {
	if token == "" {
		if err := s.d.Consent.Gate(ctx, p.Subject, kind); err != nil {
			return err
		}
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		act, err := s.actTx(ctx, tx, p, kind, token)
		if err != nil {
			return err
		}
		sealed, err := s.d.Vault.Seal(ctx, tables[kind].ref(p.Subject, act), []byte(value))
		if err != nil {
			return err
		}
		if err := s.putTx(ctx, tx, kind, p.Subject, row{sealed, act, s.d.Clock.Now()}); err != nil {
			return err
		}
		return s.leaf(ctx, tx, "contact.set", p, kind)
	})
}

// actTx records the act of a token, and returns the act that a value rests on.
func (s *Service) actTx(ctx context.Context, tx *db.Tx, p account.Principal, kind, token string) (string, error) {
	if token != "" {
		err := s.d.Consent.GrantTx(ctx, tx, consent.Act{
			Subject: p.Subject, Session: p.Session, Purpose: kind, Decision: consent.Grant, Token: token, Channel: "console",
		})
		if err != nil {
			return "", err
		}
	}
	return s.d.Consent.LiveActTx(ctx, tx, p.Subject, kind)
}

func (s *Service) putTx(ctx context.Context, tx *db.Tx, kind string, subject id.Handle, v row) error {
	text := map[string]string{
		Phone: `INSERT INTO contact_phone (subject, number, act, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET number = excluded.number, act = excluded.act, at = excluded.at`,
		QQ: `INSERT INTO contact_qq (subject, number, act, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET number = excluded.number, act = excluded.act, at = excluded.at`,
		Region: `INSERT INTO contact_region (subject, place, act, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET place = excluded.place, act = excluded.act, at = excluded.at`,
	}[kind]
	_, err := tx.Exec(ctx, text, string(subject), v.value, v.act, db.Micros(v.at))
	return err
}

// Remove takes the act of a kind back and deletes what rests on it. Its keys end
// a moment later. Errors: ErrKind, consent.nothing_to_withdraw.
func (s *Service) Remove(ctx context.Context, p account.Principal, kind string) error {
	if tables[kind] == (table{}) {
		return ErrKind
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := s.d.Consent.WithdrawTx(ctx, tx, consent.Act{Subject: p.Subject, Session: p.Session, Purpose: kind, Channel: "console"}); err != nil {
			return err
		}
		return s.deleteTx(ctx, tx, kind, p.Subject, "")
	})
}

// deleteTx deletes what rests on an act; empty: on any.
func (s *Service) deleteTx(ctx context.Context, tx *db.Tx, kind string, subject id.Handle, act string) error {
	texts := map[string][]string{
		Phone:  {"DELETE FROM contact_phone WHERE subject = $1 AND ($2 = '' OR act = $2)", "DELETE FROM contact_code WHERE subject = $1 AND ($2 = '' OR act = $2)"},
		QQ:     {"DELETE FROM contact_qq WHERE subject = $1 AND ($2 = '' OR act = $2)"},
		Region: {"DELETE FROM contact_region WHERE subject = $1 AND ($2 = '' OR act = $2)"},
	}[kind]
	for _, text := range texts {
		if _, err := tx.Exec(ctx, text, string(subject), act); err != nil {
			return err
		}
	}
	return nil
}

// withdrawn deletes what rests on acts that were taken back, wherever that was
// done, and ends their keys. What rests on a later act stays.
func (s *Service) withdrawn(ctx context.Context, e consent.Changed) error {
	if tables[e.Purpose] == (table{}) || e.Decision == consent.Grant || mutant.Off("LT-1.2") {
		return nil
	}
	acts, err := s.d.Consent.GrantsBefore(ctx, e.Subject, e.Purpose, e.Event)
	if err != nil {
		return err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, act := range acts {
			if err := s.deleteTx(ctx, tx, e.Purpose, e.Subject, act); err != nil {
				return err
			}
		}
		return nil
	})
	for _, act := range acts {
		if err != nil {
			return err
		}
		err = s.d.Vault.DestroyClass(ctx, e.Subject, class+"/"+act)
	}
	return err
}

func (s *Service) leaf(ctx context.Context, tx *db.Tx, kind string, p account.Principal, purpose string) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: p.Subject, Account: string(p.Account),
		Actor: audit.Actor{Class: vault.Self, Handle: p.Subject, Session: p.Session}, Detail: map[string]string{"purpose": purpose},
	})
}
