package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Power is one of three that exclude one another: to run the system, to say who
// may do what, to look at what was done (GB/T 22239-2019, 7.1.5 and 8.1.5).
type Power string

// Powers. Founding is that of who begins an installation alone: all that nobody
// else holds, for 30 days at most.
const (
	None     Power = ""
	System   Power = "system"
	Security Power = "security"
	Audit    Power = "audit"
	Founding Power = "founding"
)

var powers = []Power{System, Security, Audit}

// Times of the exceptions.
const (
	FoundingLife  = 30 * 24 * time.Hour // to hand powers over
	EmergencyLife = 4 * time.Hour       // of a power taken by breaking the glass
)

// Errors of powers.
var (
	ErrPowers    = errs.New(errs.Unprocessable, "account.powers_exclude")  // the set holds more than one
	ErrPowerHeld = errs.New(errs.Conflict, "account.power_held")           // the person holds another one
	ErrFounder   = errs.New(errs.Conflict, "account.founder_exists")       // others are there
	ErrOwnRoles  = errs.New(errs.Forbidden, "account.own_roles")           // nobody gives to, or takes from, themselves
	ErrRole      = errs.New(errs.Unprocessable, "account.role_unknown")    // no such role
	ErrGlass     = errs.New(errs.Conflict, "account.glass_auditor")        // who audits breaks no glass, and no glass makes an auditor
	ErrReason    = errs.New(errs.Unprocessable, "account.reason_needed")   // why the glass is broken
	errDisabled  = errs.New(errs.Conflict, "account.staff_without_rights") // who left gets no power by breaking the glass
)

// PowerOf returns the power that a set of permissions needs. ErrPowers: it needs
// more than one, or lets an auditor act.
func PowerOf(permissions []string) (Power, error) {
	need, acts := None, ""
	for _, name := range permissions {
		d := dutyOf(name)
		if !d.looks {
			acts = name
		}
		switch {
		case d.power == None || d.power == need:
		case need == None:
			need = d.power
		default:
			return None, ErrPowers.With("power", string(need)).With("permission", name)
		}
	}
	if need == Audit && acts != "" {
		return None, ErrPowers.With("power", string(Audit)).With("permission", acts)
	}
	return need, nil
}

// holder is a row of account_power.
type holder struct {
	subject   id.Handle
	power     Power
	since     time.Time
	emergency Power
	until     time.Time
}

const holderColumns = "subject, power, since, emergency, emergency_until"

func scanHolder(r db.Row) (h holder, err error) {
	var since, until int64
	err = r.Scan(&h.subject, &h.power, &since, &h.emergency, &until)
	h.since, h.until = db.FromMicros(since), db.FromMicros(until)
	return h, err
}

// holderOf returns the power that somebody holds; without a row: none.
func holderOf(ctx context.Context, q db.Q, subject id.Handle) (holder, error) {
	h, err := db.Get(ctx, q, ErrNoStaff, scanHolder, "SELECT "+holderColumns+" FROM account_power WHERE subject = $1", string(subject))
	if errs.IsNotFound(err) {
		return holder{subject: subject}, nil
	}
	return h, err
}

// broke reports whether the glass is broken at a time.
func (h holder) broke(now time.Time) bool { return h.emergency != None && now.Before(h.until) }

// may narrows permissions to those that the power lets its holder use; others
// are the powers that are somebody else's.
func (h holder) may(permissions []string, others []Power, now time.Time) []string {
	if h.broke(now) {
		all := slices.DeleteFunc(slices.Clone(permissions), func(p string) bool { return dutyOf(p).power != None })
		return append(all, permissionsOf(func(d duty) bool { return d.power == h.emergency })...)
	}
	return slices.DeleteFunc(slices.Clone(permissions), func(p string) bool {
		d := dutyOf(p)
		switch {
		case h.power == Founding && d.power != None:
			return slices.Contains(others, d.power) || (d.power != Security && !now.Before(h.since.Add(FoundingLife)))
		case h.power == Audit && !d.looks:
			return true
		}
		return d.power != None && d.power != h.power
	})
}

// powered narrows permissions to those of the one power that somebody holds. The
// row decides, whatever the permissions say.
func (s *Service) powered(ctx context.Context, subject id.Handle, permissions []string) ([]string, error) {
	h, err := holderOf(ctx, s.d.DB, subject)
	if err != nil {
		return nil, err
	}
	var others []Power
	if h.power == Founding {
		if others, err = othersPowers(ctx, s.d.DB, subject); err != nil {
			return nil, err
		}
	}
	return h.may(permissions, others, s.d.Clock.Now()), nil
}

func othersPowers(ctx context.Context, q db.Q, subject id.Handle) ([]Power, error) {
	return db.Select(ctx, q, db.One[Power], "SELECT DISTINCT power FROM account_power WHERE subject <> $1 AND power IN ('system', 'security', 'audit')", string(subject))
}

// holdTx makes a power the one that somebody holds. Where another is held it is
// refused with ErrPowerHeld, unless replace says that the old one ends.
func (s *Service) holdTx(ctx context.Context, tx *db.Tx, subject id.Handle, power Power, replace bool) error {
	now := s.d.Clock.Now()
	h, err := holderOf(ctx, tx, subject)
	if err != nil {
		return err
	}
	switch {
	case h.power == power && !h.broke(now):
		return nil
	case !replace && (h.broke(now) || (h.power != None && power != None)):
		return ErrPowerHeld.With("power", string(h.inForce(now)))
	}
	if power == None {
		_, err := tx.Exec(ctx, "DELETE FROM account_power WHERE subject = $1", string(subject))
		return err
	}
	err = tx.ExecOne(ctx, db.ErrRetry, `INSERT INTO account_power (subject, power, since, emergency, emergency_until) VALUES ($1, $2, $3, '', 0)
		ON CONFLICT (subject) DO UPDATE SET power = excluded.power, since = excluded.since, emergency = '', emergency_until = 0
			WHERE account_power.power = $4`, string(subject), string(power), db.Micros(now), string(h.power))
	if err != nil {
		return err
	}
	return s.handOverTx(ctx, tx)
}

func (h holder) inForce(now time.Time) Power {
	if h.broke(now) {
		return h.emergency
	}
	return h.power
}

// handOverTx ends the founding once others hold all powers but one: that one
// remains.
func (s *Service) handOverTx(ctx context.Context, tx *db.Tx) error {
	founders, err := db.Select(ctx, tx, scanHolder, "SELECT "+holderColumns+" FROM account_power WHERE power = 'founding'")
	if err != nil || len(founders) == 0 {
		return err
	}
	others, err := othersPowers(ctx, tx, founders[0].subject)
	if err != nil || len(others) < len(powers)-1 {
		return err
	}
	p, err := personBy(ctx, tx, "subject", string(founders[0].subject))
	if err != nil {
		return err
	}
	h := founders[0]
	for _, left := range powers {
		if !slices.Contains(others, left) {
			h.power = left
		}
	}
	if h.power == Founding {
		h.power = Security
	}
	if _, err := tx.Exec(ctx, "UPDATE account_power SET power = $1 WHERE subject = $2", string(h.power), string(h.subject)); err != nil {
		return err
	}
	p.permissions = h.may(p.permissions, nil, s.d.Clock.Now())
	return s.permitTx(ctx, tx, p, "account.founder_ended", audit.Actor{Class: "system"}, map[string]string{"power": string(h.power)})
}

// permitTx keeps a person's permissions, with the leaf of why they changed.
func (s *Service) permitTx(ctx context.Context, tx *db.Tx, p person, kind string, by audit.Actor, detail map[string]string) error {
	text := strings.Join(p.permissions, " ")
	if err := tx.ExecOne(ctx, ErrNoStaff, "UPDATE account_person SET permissions = $1 WHERE subject = $2", text, string(p.subject)); err != nil {
		return err
	}
	detail["permissions"] = text
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: p.subject, Account: string(p.account), Actor: by, Detail: detail})
}

// GiveRole adds a role to a member of the staff. ErrPowers: it does not go with
// what the person holds; ErrPowerHeld: the person holds another power;
// ErrOwnRoles, ErrRole, ErrNoStaff and ErrStepUp.
func (s *Service) GiveRole(ctx context.Context, by Principal, name string, role Role) error {
	return s.changeRole(ctx, by, name, role, "account.role_given", func(have []string) []string {
		return append(have, slices.DeleteFunc(role.Permissions(), func(p string) bool { return slices.Contains(have, p) })...)
	})
}

// TakeRole takes a role away. What another role of the person needs stays only
// if that is given again.
func (s *Service) TakeRole(ctx context.Context, by Principal, name string, role Role) error {
	return s.changeRole(ctx, by, name, role, "account.role_taken", func(have []string) []string {
		return slices.DeleteFunc(have, func(p string) bool { return slices.Contains(role.Permissions(), p) })
	})
}

func (s *Service) changeRole(ctx context.Context, by Principal, name string, role Role, kind string, change func([]string) []string) error {
	if len(role.Permissions()) == 0 {
		return ErrRole.With("role", string(role))
	}
	if err := by.RequireStepUp(s.d.Clock.Now()); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		p, err := personBy(ctx, tx, "name_key", nameKey(name))
		switch {
		case errs.IsNotFound(err) || (err == nil && !p.staff):
			return ErrNoStaff
		case err != nil:
			return err
		case p.subject == by.Subject:
			return ErrOwnRoles
		}
		h, err := holderOf(ctx, tx, p.subject)
		if err != nil {
			return err
		}
		p.permissions = change(h.stored(p.permissions))
		power, err := PowerOf(p.permissions)
		if err != nil {
			return err
		}
		if err := s.holdTx(ctx, tx, p.subject, power, false); err != nil {
			return err
		}
		actor := audit.Actor{Class: "staff", Handle: by.Subject, Session: by.Session}
		return s.permitTx(ctx, tx, p, kind, actor, map[string]string{"role": string(role)})
	})
}

// stored drops permissions that no power of the holder puts in force: those of
// an account from before powers were separated.
func (h holder) stored(permissions []string) []string {
	return slices.DeleteFunc(slices.Clone(permissions), func(p string) bool {
		power := dutyOf(p).power
		return power != None && power != h.power && h.power != Founding
	})
}

// BreakGlass puts one power in force for a member of the staff for four hours,
// in the place of the one that the person holds, never beside it. It is for who
// has the host, and is told in the log and to all staff. ErrGlass: auditors
// cannot, and nobody audits by it.
func (s *Service) BreakGlass(ctx context.Context, name string, power Power, reason string) (until time.Time, err error) {
	if strings.TrimSpace(reason) == "" {
		return until, ErrReason
	}
	if power != System && power != Security {
		return until, ErrGlass
	}
	p, err := s.staffBy(ctx, name)
	if err != nil {
		return until, err
	}
	if len(p.permissions) == 0 {
		return until, errDisabled
	}
	now := s.d.Clock.Now()
	until = now.Add(EmergencyLife)
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO account_power (subject, power, since, emergency, emergency_until) VALUES ($1, '', $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET emergency = excluded.emergency, emergency_until = excluded.emergency_until
				WHERE account_power.power <> 'audit'`, string(p.subject), db.Micros(now), string(power), db.Micros(until))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrGlass
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "account.glass_broken", Subject: p.subject, Account: string(p.account), Actor: audit.Actor{Class: "system"},
			Detail: map[string]string{"power": string(power), "until": until.UTC().Format(time.RFC3339), "reason": reason},
		})
	})
	if err != nil {
		return time.Time{}, err
	}
	s.d.Log.WarnContext(ctx, "the glass was broken", "kind", string(power), "handle", string(p.subject))
	return until, nil
}

// Member is a member of the staff, as staff see it.
type Member struct {
	Name        string
	Subject     id.Handle
	Power       Power // held
	Since       time.Time
	Emergency   Power // in its place until Until; None where the glass is whole
	Until       time.Time
	Permissions []string // in force, if the person is taught
	Combined    bool     // the stored permissions are of more than the power held
}

// Members lists the staff with what each may do.
func (s *Service) Members(ctx context.Context) ([]Member, error) {
	now := s.d.Clock.Now()
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (m Member, err error) {
		var since, until int64
		var permissions string
		err = r.Scan(&m.Name, &m.Subject, &permissions, &m.Power, &since, &m.Emergency, &until)
		m.Since, m.Until, m.Permissions = db.FromMicros(since), db.FromMicros(until), strings.Fields(permissions)
		return m, err
	}, `SELECT p.name, p.subject, p.permissions, coalesce(w.power, ''), coalesce(w.since, 0), coalesce(w.emergency, ''), coalesce(w.emergency_until, 0)
		FROM account_person p LEFT JOIN account_power w ON w.subject = p.subject WHERE p.staff = 1 ORDER BY p.name LIMIT 500`)
	for i := range all {
		m := &all[i]
		h := holder{m.Subject, m.Power, m.Since, m.Emergency, m.Until}
		m.Combined = h.combined(m.Permissions, now)
		if !h.broke(now) {
			m.Emergency, m.Until = None, time.Time{}
		}
		m.Permissions = h.may(m.Permissions, otherThan(all, m.Subject), now)
	}
	return all, err
}

func otherThan(all []Member, subject id.Handle) (powers []Power) {
	for _, m := range all {
		if m.Subject != subject && m.Power != None && m.Power != Founding {
			powers = append(powers, m.Power)
		}
	}
	return powers
}

// combined reports whether permissions go beyond the power held: an account from
// before, one that was altered by hand, or a founding that did not end in time.
func (h holder) combined(permissions []string, now time.Time) bool {
	if h.power == Founding {
		return !now.Before(h.since.Add(FoundingLife))
	}
	need, err := PowerOf(permissions)
	return err != nil || (need != None && need != h.power)
}

// CombinedPowers counts the staff, and those of them whose permissions are of
// more than one power.
func (s *Service) CombinedPowers(ctx context.Context) (examined, found int64, err error) {
	all, err := s.Members(ctx)
	for _, m := range all {
		examined++
		if m.Combined {
			found++
		}
	}
	return examined, found, err
}
