package account

import (
	"context"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Staff is a person of the operator.
type Staff struct {
	Name, Password, Email string
	Permissions           []string

	// Founder is who begins an installation alone: Permissions is not asked, and
	// what others are given is lost.
	Founder bool
}

// EnsureStaff makes a staff account unless the name exists; an existing staff
// account gets the permissions in the place of those it had. ErrPowers: they are
// of powers that exclude one another. ErrFounder: others are there. Outside demo mode it comes with a second
// factor, whose secret is in the result and nowhere else. A customer's name is
// refused with ErrNameTaken.
func (s *Service) EnsureStaff(ctx context.Context, st Staff) (Registered, error) {
	power, err := st.power()
	if err != nil {
		return Registered{}, err
	}
	have, err := personBy(ctx, s.d.DB, "name_key", nameKey(st.Name))
	switch {
	case err == nil && !have.staff:
		return Registered{}, ErrNameTaken
	case err == nil:
		return Registered{Account: have.account, Subject: have.subject, Name: have.name}, s.setPermissions(ctx, have, st, power)
	case !errs.IsNotFound(err):
		return Registered{}, err
	}
	p, err := s.newPerson(ctx, st.Name, st.Password, st.Email, "")
	if err != nil {
		return Registered{}, err
	}
	p.staff, p.permissions = true, st.permissions()
	if err := s.fillPerson(ctx, &p, st.Password, st.Email); err != nil {
		return Registered{}, err
	}
	result := Registered{Account: p.account, Subject: p.subject, Name: p.name}
	var factor *factorRow
	if !s.d.Demo {
		if factor, result.Enrolment, err = s.newFactor(ctx, p.subject, p.name); err != nil {
			return Registered{}, err
		}
		factor.confirmedAt = s.d.Clock.Now()
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.insertStaffTx(ctx, tx, p, factor, power) })
	return result, err
}

// power is the one that the permissions need.
func (st Staff) power() (Power, error) {
	if st.Founder {
		return Founding, nil
	}
	return PowerOf(st.Permissions)
}

func (st Staff) permissions() []string {
	if st.Founder {
		return AllPermissions()
	}
	return slices.Clone(st.Permissions)
}

func (s *Service) insertStaffTx(ctx context.Context, tx *db.Tx, p person, factor *factorRow, power Power) error {
	if err := s.beginTx(ctx, tx, p.subject, power); err != nil {
		return err
	}
	fresh, err := insertPerson(ctx, tx, p)
	if err != nil {
		return err
	}
	if !fresh {
		return ErrNameTaken
	}
	if factor != nil {
		if err := putFactor(ctx, tx, p.subject, *factor); err != nil {
			return err
		}
	}
	if err := s.firstTrainingTx(ctx, tx, p); err != nil {
		return err
	}
	if err := s.holdTx(ctx, tx, p.subject, power, true); err != nil {
		return err
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "account.staff_created", Subject: p.subject, Account: string(p.account),
		Actor: audit.Actor{Class: "system"}, Detail: map[string]string{"permissions": strings.Join(p.permissions, " ")},
	})
}

// beginTx lets a founder in only where nobody holds a power.
func (s *Service) beginTx(ctx context.Context, tx *db.Tx, subject id.Handle, power Power) error {
	if power != Founding {
		return nil
	}
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM account_person WHERE staff = 1 AND permissions <> '' AND subject <> $1", string(subject))
	if err == nil && n > 0 {
		err = ErrFounder
	}
	return err
}

func (s *Service) setPermissions(ctx context.Context, p person, st Staff, power Power) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		p, err := personBy(ctx, tx, "subject", string(p.subject))
		if err != nil {
			return err
		}
		h, err := holderOf(ctx, tx, p.subject)
		if err != nil || (slices.Equal(p.permissions, st.permissions()) && h.power == power) {
			return err
		}
		if err := s.beginTx(ctx, tx, p.subject, power); err != nil {
			return err
		}
		if err := s.holdTx(ctx, tx, p.subject, power, true); err != nil {
			return err
		}
		p.permissions = st.permissions()
		return s.permitTx(ctx, tx, p, "account.staff_created", audit.Actor{Class: "system"}, map[string]string{})
	})
}

// ErrNoStaff says that no member of the staff has a name.
var ErrNoStaff = errs.New(errs.NotFound, "account.staff_not_found")

// ResetStaff gives a member of the staff a new password and a new second
// factor, for one that was lost, and ends all sessions. In demo mode the factor
// is enrolled at the next sign-in.
func (s *Service) ResetStaff(ctx context.Context, name, password string) (Registered, error) {
	p, err := s.staffBy(ctx, name)
	if err != nil {
		return Registered{}, err
	}
	result := Registered{Account: p.account, Subject: p.subject, Name: p.name}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return Registered{}, err
	}
	var f *factorRow
	if !s.d.Demo {
		if f, result.Enrolment, err = s.newFactor(ctx, p.subject, p.name); err != nil {
			return Registered{}, err
		}
		f.confirmedAt = s.d.Clock.Now()
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := s.lockOutTx(ctx, tx, p, hash, "account.staff_reset"); err != nil || f == nil {
			return err
		}
		return putFactor(ctx, tx, p.subject, *f)
	})
	return result, err
}

// DisableStaff takes all permissions away, ends all sessions and makes the
// password one that nobody knows. EnsureStaff and ResetStaff bring the account
// back.
func (s *Service) DisableStaff(ctx context.Context, name string) error {
	p, err := s.staffBy(ctx, name)
	if err != nil {
		return err
	}
	hash, err := s.hash(ctx, id.Random(32))
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, q := range []string{"UPDATE account_person SET permissions = '' WHERE subject = $1", "DELETE FROM account_power WHERE subject = $1"} {
			if _, err := tx.Exec(ctx, q, string(p.subject)); err != nil {
				return err
			}
		}
		return s.lockOutTx(ctx, tx, p, hash, "account.staff_disabled")
	})
}

// OwnerBy finds who has a user name, for staff to whom the person gave it.
// Errors: of kind NotFound.
func (s *Service) OwnerBy(ctx context.Context, name string) (ID, id.Handle, error) {
	p, err := personBy(ctx, s.d.DB, "name_key", nameKey(name))
	return p.account, p.subject, err
}

// OwnerByAddress finds who has verified a mail address. Errors: of kind NotFound,
// also for what is no address.
func (s *Service) OwnerByAddress(ctx context.Context, address string) (ID, id.Handle, error) {
	normal, err := normalEmail(address)
	if err != nil {
		return "", "", ErrNotFound
	}
	blind, err := s.d.Vault.Blind(ctx, "account.email", normal)
	if err != nil {
		return "", "", err
	}
	p, err := personBy(ctx, s.d.DB, "verified_email", blind)
	return p.account, p.subject, err
}

// Holders counts the members of staff who have a permission.
func (s *Service) Holders(ctx context.Context, permission string) (n int64, err error) {
	all, err := db.Select(ctx, s.d.DB, db.One[string], "SELECT permissions FROM account_person WHERE staff = 1")
	for _, have := range all {
		if slices.Contains(strings.Fields(have), permission) {
			n++
		}
	}
	return n, err
}

func (s *Service) staffBy(ctx context.Context, name string) (person, error) {
	p, err := personBy(ctx, s.d.DB, "name_key", nameKey(name))
	if errs.IsNotFound(err) || (err == nil && !p.staff) {
		return person{}, ErrNoStaff
	}
	return p, err
}

// lockOutTx replaces the password, removes the second factor with its recovery
// codes and ends all sessions.
func (s *Service) lockOutTx(ctx context.Context, tx *db.Tx, p person, hash, kind string) error {
	now, subject := s.d.Clock.Now(), string(p.subject)
	if _, err := tx.Exec(ctx, "UPDATE account_person SET password = $1, password_at = $2 WHERE subject = $3", hash, db.Micros(now), subject); err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM account_totp WHERE subject = $1", "DELETE FROM account_recovery WHERE subject = $1"} {
		if _, err := tx.Exec(ctx, q, subject); err != nil {
			return err
		}
	}
	if err := revokeSessions(ctx, tx, p.subject, "", kind, now); err != nil {
		return err
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: p.subject, Account: string(p.account), Actor: audit.Actor{Class: "system"}})
}

// CheckPermissions refuses names that are no permissions.
func CheckPermissions(names []string) error {
	for _, n := range names {
		if !slices.Contains(AllPermissions(), n) {
			return errs.New(errs.Invalid, "account.permission_unknown").With("permission", n)
		}
	}
	return nil
}
