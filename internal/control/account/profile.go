package account

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Profile returns the person's own data but for what is sealed: see Address.
func (s *Service) Profile(ctx context.Context, p Principal) (Profile, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return Profile{}, err
	}
	f, err := factor(ctx, s.d.DB, p.Subject)
	if err != nil && !errs.IsNotFound(err) {
		return Profile{}, err
	}
	left, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT COUNT(*) FROM account_recovery WHERE subject = $1 AND used_at = 0", string(p.Subject))
	if err != nil {
		return Profile{}, err
	}
	return Profile{
		Account: who.account, Subject: who.subject, Name: who.name, EmailVerifiedAt: who.verifiedAt, Locale: who.locale,
		TOTP: !f.confirmedAt.IsZero(), RecoveryLeft: int(left), Staff: who.staff, Permissions: p.Permissions, CreatedAt: who.createdAt,
	}, nil
}

// Address opens the person's own e-mail address, which is a read event: ask for
// it only to show it.
func (s *Service) Address(ctx context.Context, p Principal) (string, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return "", err
	}
	ticket, err := s.d.Vault.Begin(ctx, s.self(p, "account", "account_person.email"))
	if err != nil {
		return "", err
	}
	email, err := s.d.Vault.Open(ctx, ticket, emailRef(p.Subject), who.email)
	return string(email), err
}

// SetLocale changes the language of mails.
func (s *Service) SetLocale(ctx context.Context, p Principal, locale string) error {
	if locale != "en" && locale != "zh-CN" {
		return errs.New(errs.Unprocessable, "account.locale_invalid")
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrNotFound, "UPDATE account_person SET locale = $1 WHERE subject = $2", locale, string(p.Subject))
	})
}

// Contact opens a person's address for a job. purpose is one of the five mail
// purposes (LT-1.1f): account, verify, recovery, security, service_change.
func (s *Service) Contact(ctx context.Context, subject id.Handle, purpose, job string) (Contact, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(subject))
	if err != nil {
		return Contact{}, err
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Job, Session: job}, Subject: subject,
		Fields: []string{"account_person.email"}, Purpose: purpose,
	})
	if err != nil {
		return Contact{}, err
	}
	email, err := s.d.Vault.Open(ctx, ticket, emailRef(subject), who.email)
	if err != nil {
		return Contact{}, err
	}
	return Contact{Name: who.name, Email: string(email), Locale: who.locale, Verified: !who.verifiedAt.IsZero()}, nil
}

// Locale returns the language that a person reads mails and notices in.
func (s *Service) Locale(ctx context.Context, subject id.Handle) (string, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(subject))
	return who.locale, err
}

// Owner returns the handle of an account's owner.
func (s *Service) Owner(ctx context.Context, a ID) (id.Handle, error) {
	owner, err := db.Get(ctx, s.d.DB, ErrNotFound, db.One[string], "SELECT owner FROM account_account WHERE id = $1", string(a))
	return id.Handle(owner), err
}

// Customers lists handles of customers in order, after one (empty: from the
// first), for work over everybody.
func (s *Service) Customers(ctx context.Context, after id.Handle, limit int) ([]id.Handle, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (h id.Handle, err error) { return h, r.Scan(&h) },
		"SELECT subject FROM account_person WHERE staff = 0 AND subject > $1 ORDER BY subject LIMIT $2", string(after), limit)
}

// AccountOf returns the account of its owner, or ErrNotFound.
func (s *Service) AccountOf(ctx context.Context, owner id.Handle) (ID, error) {
	a, err := db.Get(ctx, s.d.DB, ErrNotFound, db.One[string], "SELECT id FROM account_account WHERE owner = $1", string(owner))
	return ID(a), err
}

// Users lists people for staff, newest first; nothing in it is sealed.
func (s *Service) Users(ctx context.Context, cursor string, limit int) ([]UserSummary, string, error) {
	limit = clampLimit(limit)
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (u UserSummary, err error) {
		var verified, staff, created, totp int64
		err = r.Scan(&u.Account, &u.Subject, &u.Name, &verified, &staff, &created, &totp)
		u.EmailVerified, u.Staff, u.CreatedAt, u.TOTP = verified != 0, staff == 1, db.FromMicros(created), totp != 0
		return u, err
	}, `SELECT p.account, p.subject, p.name, p.email_verified_at, p.staff, p.created_at,
		COALESCE((SELECT t.confirmed_at FROM account_totp t WHERE t.subject = p.subject), 0)
		FROM account_person p WHERE ($1 = '' OR p.account < $1) ORDER BY p.account DESC LIMIT $2`, cursor, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(all) > limit {
		return all[:limit], string(all[limit-1].Account), nil
	}
	return all, "", nil
}
