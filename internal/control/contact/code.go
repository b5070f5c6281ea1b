package contact

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// CodeLife is how long a code works, codeTries how often it may be tried.
const (
	CodeLife  = 10 * time.Minute
	codeTries = 5
	askPause  = time.Minute
	askPerHour,
	askPerSource = 10, 10
)

// Of one number, whoever asks: what the carrier lets through as well.
var perNumber = []struct {
	within time.Duration
	most   int64
}{{time.Minute, 1}, {time.Hour, 5}, {24 * time.Hour, 10}}

// Topics, whose payload is a NumberEvent: a code is to be sent; a number stands, or
// stands in the place of another.
const (
	TopicCode    = "contact.code_asked"
	TopicChanged = "contact.phone_changed"
)

// NumberEvent is the payload of the topics. It holds no number.
type NumberEvent struct {
	ID      string
	Account account.ID
	Subject id.Handle
}

var (
	phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	mainland  = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
)

// Mainland tells whether a number as E.164 is one of mainland China.
func Mainland(number string) bool { return strings.HasPrefix(number, "+86") }

// normalPhone returns a number as E.164. One without a country is a mobile
// number of mainland China.
func normalPhone(s string) (string, error) {
	s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimSpace(s))
	if mainland.MatchString(s) {
		s = "+86" + s
	}
	if !phoneForm.MatchString(s) || Mainland(s) && !mainland.MatchString(s[3:]) {
		return "", ErrPhone
	}
	return s, nil
}

// Ask has a code sent to a number, which a person may add with a fresh proof of
// who they are and a confirmed address: nothing is sent for whom nobody knows.
// The answer tells nothing of the number: that others have it, or were sent codes
// to it, looks the same. Errors: ErrCarrier, ErrPhone, ErrFar, ErrMail, ErrSoon, account.ErrStepUp,
// account.ErrTooMany, and those of an act.
func (s *Service) Ask(ctx context.Context, p account.Principal, number, token string, src account.Source) error {
	now := s.d.Clock.Now()
	if s.d.Reach == nil {
		return ErrCarrier // a number that no code reaches cannot be confirmed, and is not collected
	}
	if err := p.RequireStepUp(now); err != nil {
		return err
	}
	number, err := normalPhone(number)
	if err != nil {
		return err
	}
	if !s.d.Reach(number) {
		return ErrFar
	}
	if !p.EmailVerified {
		return ErrMail
	}
	if token == "" {
		if err := s.d.Consent.Gate(ctx, p.Subject, Phone); err != nil {
			return err
		}
	}
	if err := s.pause(ctx, p, now); err != nil {
		return err
	}
	if err := s.d.Account.CountHour(ctx, "phone_code", p, src, askPerSource, askPerHour); err != nil {
		return err
	}
	send, err := s.counted(ctx, number, now)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.askTx(ctx, tx, p, number, token, send) })
}

// pause holds a person to one code a minute.
func (s *Service) pause(ctx context.Context, p account.Principal, now time.Time) error {
	at, err := db.Get(ctx, s.d.DB, ErrNone, db.One[int64], "SELECT at FROM contact_code WHERE subject = $1", string(p.Subject))
	if errs.IsNotFound(err) {
		return nil
	}
	if wait := db.FromMicros(at).Add(askPause).Sub(now); err == nil && wait > 0 {
		return ErrSoon.With("seconds", int(wait/time.Second)+1)
	}
	return err
}

// counted notes that a code to a number is asked for, in a statement of its own,
// and tells whether the number's limits let it be sent.
func (s *Service) counted(ctx context.Context, number string, now time.Time) (send bool, err error) {
	blind, err := s.d.Vault.Blind(ctx, "contact.number", number)
	if err != nil {
		return false, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO contact_asked (id, number, at) VALUES ($1, $2, $3)", id.New("ask"), blind, db.Micros(now))
		return err
	})
	if err != nil {
		return false, err
	}
	for _, l := range perNumber {
		n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM contact_asked WHERE number = $1 AND at > $2", blind, db.Micros(now.Add(-l.within)))
		if err != nil || n > l.most {
			return false, err
		}
	}
	return true, nil
}

// askTx keeps the number until its code comes back, sealed for the place where it
// will stand then, so that nobody has to read it.
func (s *Service) askTx(ctx context.Context, tx *db.Tx, p account.Principal, number, token string, send bool) error {
	act, err := s.actTx(ctx, tx, p, Phone, token)
	if err != nil {
		return err
	}
	sealed, err := s.d.Vault.Seal(ctx, tables[Phone].ref(p.Subject, act), []byte(number))
	if err != nil {
		return err
	}
	now := s.d.Clock.Now()
	_, err = tx.Exec(ctx, `INSERT INTO contact_code (subject, number, act, code, tries, at, expires_at) VALUES ($1, $2, $3, '', 0, $4, $5)
		ON CONFLICT (subject) DO UPDATE SET number = excluded.number, act = excluded.act, code = '', tries = 0, at = excluded.at, expires_at = excluded.expires_at`,
		string(p.Subject), sealed, act, db.Micros(now), db.Micros(now.Add(CodeLife)))
	if err != nil {
		return err
	}
	if err := s.leaf(ctx, tx, "contact.code_asked", p, Phone); err != nil || !send {
		return err
	}
	return s.d.Queue.PublishTx(ctx, tx, TopicCode, NumberEvent{ID: id.New("evt"), Account: p.Account, Subject: p.Subject})
}

type waiting struct {
	row
	code string
}

func scanWaiting(r db.Row) (w waiting, err error) {
	var at int64
	err = r.Scan(&w.value, &w.act, &at, &w.code)
	w.at = db.FromMicros(at)
	return w, err
}

func (s *Service) waiting(ctx context.Context, q db.Q, subject id.Handle) (waiting, error) {
	return db.Get(ctx, q, ErrNone, scanWaiting, "SELECT number, act, at, code FROM contact_code WHERE subject = $1 AND expires_at > $2",
		string(subject), db.Micros(s.d.Clock.Now()))
}

// IssueCode opens the number that waits and makes its code, when the message is
// made. Another call makes another code, and the former works no longer. ErrNone:
// no number waits any more.
func (s *Service) IssueCode(ctx context.Context, subject id.Handle, jobKind string) (number, code string, err error) {
	w, err := s.waiting(ctx, s.d.DB, subject)
	if err != nil {
		return "", "", err
	}
	number, err = s.read(ctx, tables[Phone], vault.Read{
		Reader: vault.Reader{Class: vault.Job, Session: jobKind}, Subject: subject, Purpose: UseVerify,
	}, w.row)
	if err != nil {
		return "", "", err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", "", fmt.Errorf("making a code: %w", err)
	}
	code = fmt.Sprintf("%06d", n.Int64())
	mac, err := s.mac(ctx, subject, w.at, code)
	if err != nil {
		return "", "", err
	}
	return number, code, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrNone, "UPDATE contact_code SET code = $1 WHERE subject = $2 AND at = $3", mac, string(subject), db.Micros(w.at))
	})
}

// mac binds a code to its person, to what it is for, and to the number that was
// asked for at that time.
func (s *Service) mac(ctx context.Context, subject id.Handle, at time.Time, code string) (string, error) {
	return s.d.Vault.Blind(ctx, "contact.code", fmt.Sprintf("%s\n%s\n%d\n%s", UseVerify, subject, db.Micros(at), code))
}

// Confirm takes the code that came back, and has the number stand. ErrCode.
func (s *Service) Confirm(ctx context.Context, p account.Principal, code string) error {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { // committed before anything is compared
		return tx.ExecOne(ctx, ErrCode, "UPDATE contact_code SET tries = tries + 1 WHERE subject = $1 AND tries < $2 AND expires_at > $3 AND code <> ''",
			string(p.Subject), codeTries, db.Micros(s.d.Clock.Now()))
	})
	if err != nil {
		return err
	}
	fault.Point("contact-after-try")
	w, err := s.waiting(ctx, s.d.DB, p.Subject)
	if errs.IsNotFound(err) {
		return ErrCode
	}
	if err != nil {
		return err
	}
	mac, err := s.mac(ctx, p.Subject, w.at, strings.TrimSpace(code))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(mac), []byte(w.code)) != 1 {
		return ErrCode
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.ExecOne(ctx, ErrCode, "DELETE FROM contact_code WHERE subject = $1 AND code = $2", string(p.Subject), mac); err != nil {
			return err
		}
		act, err := s.d.Consent.LiveActTx(ctx, tx, p.Subject, Phone)
		if err != nil {
			return err
		}
		if act != w.act {
			return ErrCode // the act that the number was entered with is over
		}
		if err := s.putTx(ctx, tx, Phone, p.Subject, row{w.value, w.act, s.d.Clock.Now()}); err != nil {
			return err
		}
		if err := s.leaf(ctx, tx, "contact.phone_confirmed", p, Phone); err != nil {
			return err
		}
		return s.d.Queue.PublishTx(ctx, tx, TopicChanged, NumberEvent{ID: id.New("evt"), Account: p.Account, Subject: p.Subject})
	})
}

// purge deletes numbers that nobody confirmed, and counters that count no more.
func (s *Service) purge(ctx context.Context) error {
	now := s.d.Clock.Now()
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM contact_code WHERE expires_at <= $1", db.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM contact_asked WHERE at <= $1", db.Micros(now.Add(-24*time.Hour)))
		return err
	})
}
