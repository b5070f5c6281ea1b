package account

import (
	"context"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Errors of what a person enters.
var (
	ErrName  = errs.New(errs.Unprocessable, "account.name_invalid")
	ErrEmail = errs.New(errs.Unprocessable, "account.email_invalid")
)

var nameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{2,31}$`)

// nameKey is the form in which names are compared.
func nameKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// normalEmail checks an address and returns its comparable form: NFC, lower case.
func normalEmail(s string) (string, error) {
	s = norm.NFC.String(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 || strings.ContainsAny(s, "\r\n\x00<>\" ") {
		return "", ErrEmail
	}
	_, domain, _ := strings.Cut(s, "@")
	if strings.ContainsAny(domain, "[]") {
		return "", ErrEmail
	}
	return strings.ToLower(s), nil
}

func emailRef(subject id.Handle) vault.Ref {
	return vault.Ref{Table: "account_person", Column: "email", Row: string(subject), Subject: subject, Class: "account_core"}
}

// Register makes an account from three fields and the acts of consent that
// registration asks for. Acts and account are one transaction: without the
// acts there is no account, and a refused account leaves the tokens unused.
func (s *Service) Register(ctx context.Context, r Registration) (Registered, error) {
	if err := s.admitAge(ctx, r); err != nil {
		return Registered{}, err
	}
	return s.register(ctx, r, func(ctx context.Context, tx *db.Tx, p person) error {
		if r.Band != "" {
			if err := s.d.Age.DeclareTx(ctx, tx, p.subject, string(p.account), r.Band); err != nil {
				return err
			}
		}
		return s.actsTx(ctx, tx, p.subject, r)
	})
}

// admitAge wants exactly one statement, and refuses an age that may not register
// before anything is looked at or stored.
func (s *Service) admitAge(ctx context.Context, r Registration) error {
	switch {
	case r.Adult == (r.Band != ""):
		return consent.ErrAdult
	case r.Adult:
		return nil
	}
	return s.d.Age.Admit(ctx, r.Band)
}

// RegisterChild makes the account of a child of 14 or younger from the account
// of a guardian, who reads the policy and the rules for children and acts for
// the child (clause TY-7.1). The guardian's address is confirmed and the guardian
// an adult: else ErrGuardian or what the module age says.
func (s *Service) RegisterChild(ctx context.Context, guardian Principal, r Registration) (Registered, error) {
	if !guardian.EmailVerified {
		return Registered{}, ErrGuardian
	}
	if err := s.d.Age.AdultGuardian(ctx, guardian.Subject); err != nil {
		return Registered{}, err
	}
	return s.register(ctx, r, func(ctx context.Context, tx *db.Tx, p person) error {
		if err := s.d.Age.GuardTx(ctx, tx, age.By{Handle: guardian.Subject, Session: guardian.Session}, p.subject, string(p.account)); err != nil {
			return err
		}
		return s.guardianActsTx(ctx, tx, guardian, p.subject, r.ConsentToken, r.ChildRulesToken)
	})
}

// guardianActsTx records what a guardian accepts for a child.
func (s *Service) guardianActsTx(ctx context.Context, tx *db.Tx, guardian Principal, child id.Handle, policy, rules string) error {
	for purpose, token := range map[string]string{consent.PlatformPolicy: policy, consent.ChildRules: rules} {
		err := s.d.Consent.GrantTx(ctx, tx, consent.Act{
			Subject: child, Session: guardian.Session, Guardian: guardian.Subject, Purpose: purpose, Decision: consent.Grant, Token: token, Channel: "guardian",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Guardianship is what another guardian enters for a child whose guardian left.
type Guardianship struct {
	Code                          string // that the child was given
	ConsentToken, ChildRulesToken string
}

// Succeed makes a person the guardian of a child whose guardian left, with the
// acts that opening the account takes; it returns the child's account. Errors: as
// of RegisterChild, and age.ErrCode.
func (s *Service) Succeed(ctx context.Context, guardian Principal, g Guardianship) (child ID, at time.Time, err error) {
	if !guardian.EmailVerified {
		return "", at, ErrGuardian
	}
	if err := s.d.Age.AdultGuardian(ctx, guardian.Subject); err != nil {
		return "", at, err
	}
	at = s.d.Clock.Now()
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := s.d.Age.SucceedTx(ctx, tx, age.By{Handle: guardian.Subject, Session: guardian.Session}, g.Code)
		if err != nil {
			return err
		}
		child = ID(v.Account)
		return s.guardianActsTx(ctx, tx, guardian, v.Subject, g.ConsentToken, g.ChildRulesToken)
	})
	return child, at, err
}

// LeaveChild takes a guardian's consent back. What rests on it is shut when it
// returns, and the child's term to name another guardian runs (PIPL 15, 31). It
// asks for no token: taking back is no harder than giving. Errors:
// age.ErrNotFound, and consent.nothing_to_withdraw.
func (s *Service) LeaveChild(ctx context.Context, guardian Principal, child ID) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		subject, err := s.d.Age.WithdrawTx(ctx, tx, age.By{Handle: guardian.Subject, Session: guardian.Session}, string(child))
		if err != nil {
			return err
		}
		_, err = s.d.Consent.WithdrawTx(ctx, tx, consent.Act{
			Subject: subject, Session: guardian.Session, Guardian: guardian.Subject, Purpose: consent.ChildRules, Channel: "guardian",
		})
		return err
	})
}

// register makes the account with the acts that acts writes in its transaction.
func (s *Service) register(ctx context.Context, r Registration, acts func(context.Context, *db.Tx, person) error) (Registered, error) {
	p, err := s.newPerson(ctx, r.Name, r.Password, r.Email, r.Locale)
	if err != nil {
		return Registered{}, err
	}
	o, err := s.origin(ctx, p.nameKey, r.Source)
	if err != nil {
		return Registered{}, err
	}
	if err := s.admitSignup(ctx, o); err != nil {
		return Registered{}, err
	}
	if err := s.fillPerson(ctx, &p, r.Password, r.Email); err != nil {
		return Registered{}, err
	}
	fault.Point("account-after-seal")
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := acts(ctx, tx, p); err != nil {
			return err
		}
		fresh, err := insertPerson(ctx, tx, p)
		if err != nil {
			return err
		}
		if !fresh {
			return ErrNameTaken
		}
		if err := countTx(ctx, tx, id.New("try"), "signup", o, p.createdAt); err != nil {
			return err
		}
		if err := s.leaf(ctx, tx, "account.registered", p, "", map[string]string{"account": string(p.account)}); err != nil {
			return err
		}
		return s.publish(ctx, tx, TopicRegistered, p, "")
	})
	fault.Point("account-after-register")
	return Registered{Account: p.account, Subject: p.subject, Name: p.name}, err
}

// admitSignup limits accounts made from one source, and six times as many
// tries, for each costs a hash and tells whether a name is taken.
func (s *Service) admitSignup(ctx context.Context, o origin) error {
	if _, err := s.perHour(ctx, "signup_try", o, 6*s.d.Limits.SignupsPerHour, 0); err != nil {
		return err
	}
	made, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT COUNT(*) FROM account_attempt WHERE scope = 'signup' AND source = $1 AND at > $2",
		o.source, db.Micros(s.d.Clock.Now().Add(-time.Hour)))
	if err != nil {
		return err
	}
	if int(made) >= s.d.Limits.SignupsPerHour {
		return ErrTooMany.With("seconds", 3600)
	}
	return nil
}

// actsTx records what registration asks for; a missing act refuses it.
func (s *Service) actsTx(ctx context.Context, tx *db.Tx, subject id.Handle, r Registration) error {
	tokens := map[string]string{consent.PlatformPolicy: r.ConsentToken, consent.CrossborderHome: r.CrossborderToken}
	for _, purpose := range s.d.Consent.SignupPurposes() {
		if tokens[purpose] == "" {
			return errs.New(errs.Unprocessable, "account.consent_required").With("purpose", purpose)
		}
		err := s.d.Consent.GrantTx(ctx, tx, consent.Act{
			Subject: subject, Purpose: purpose, Decision: consent.Grant,
			Token: tokens[purpose], Channel: r.Channel, Adult: r.Adult,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newPerson checks the fields; it costs no hash.
func (s *Service) newPerson(_ context.Context, name, pw, email, locale string) (person, error) {
	name = strings.TrimSpace(name)
	if !nameForm.MatchString(name) {
		return person{}, ErrName
	}
	address, err := normalEmail(email)
	if err != nil {
		return person{}, err
	}
	if err := checkPassword(pw, name, address); err != nil {
		return person{}, err
	}
	if locale != "en" {
		locale = "zh-CN"
	}
	return person{subject: id.NewHandle(), account: ID(id.New("acc")), name: name, nameKey: nameKey(name), locale: locale, createdAt: s.d.Clock.Now()}, nil
}

// fillPerson hashes the password and seals the address.
func (s *Service) fillPerson(ctx context.Context, p *person, pw, email string) error {
	address, err := normalEmail(email)
	if err != nil {
		return err
	}
	if p.password, err = s.hash(ctx, pw); err != nil {
		return err
	}
	if p.emailBlind, err = s.d.Vault.Blind(ctx, "account.email", address); err != nil {
		return err
	}
	p.email, err = s.d.Vault.Seal(ctx, emailRef(p.subject), []byte(norm.NFC.String(strings.TrimSpace(email))))
	return err
}
