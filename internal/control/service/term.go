package service

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// ErrSetting refuses a setting: a number of days below zero, a name that there
// is not, or an order of the days that would terminate before it warns.
var ErrSetting = errs.New(errs.Unprocessable, "service.setting_invalid")

// Days are a setting: a number of days, or off. Zero is at once.
type Days struct {
	N   int
	Off bool
}

func (d Days) span() time.Duration { return time.Duration(d.N) * 24 * time.Hour }

// Terms are when what happens around the end of the paid time. All but
// RenewalOrder and KeepData count from its end.
type Terms struct {
	RenewalOrder Days // before the end
	Suspend      Days
	FinalNotice  Days
	Terminate    Days
	KeepData     Days // after the termination
}

// DefaultTerms hold where nothing is set.
var DefaultTerms = Terms{RenewalOrder: Days{N: 7}, Suspend: Days{N: 3}, FinalNotice: Days{N: 14}, Terminate: Days{N: 15}, KeepData: Days{N: 7}}

// Names of the terms in settings.
const (
	TermRenewalOrder = "renewal_order"
	TermSuspend      = "suspend"
	TermFinalNotice  = "final_notice"
	TermTerminate    = "terminate"
	TermKeepData     = "keep_data"
)

// longest is the most that a term may be: a mistyped number is no year.
const longest = 365

func (t *Terms) at(name string) *Days {
	switch name {
	case TermRenewalOrder:
		return &t.RenewalOrder
	case TermSuspend:
		return &t.Suspend
	case TermFinalNotice:
		return &t.FinalNotice
	case TermTerminate:
		return &t.Terminate
	case TermKeepData:
		return &t.KeepData
	}
	return nil
}

// check refuses terms that terminate before they warn or suspend.
func (t Terms) check() error {
	var last int
	for _, name := range []string{TermSuspend, TermFinalNotice, TermTerminate} {
		d := *t.at(name)
		if d.Off {
			continue
		}
		if d.N < last {
			return ErrSetting.With("name", name)
		}
		last = d.N
	}
	return nil
}

// Setting is a term that staff have set, for a product or for all.
type Setting struct {
	Scope string // a product, or empty
	Name  string
	Days  Days
}

type allTerms []Setting

// of resolves the terms of a product: its own, those of all, the defaults.
func (a allTerms) of(product string) Terms {
	t := DefaultTerms
	for _, scope := range []string{"", product} {
		for _, set := range a {
			if d := t.at(set.Name); set.Scope == scope && d != nil {
				*d = set.Days
			}
		}
	}
	return t
}

func (s *Service) terms(ctx context.Context, q db.Q) (allTerms, error) {
	return db.Select(ctx, q, func(r db.Row) (t Setting, err error) {
		var days *int64
		if err := r.Scan(&t.Scope, &t.Name, &days); err != nil {
			return t, err
		}
		if t.Days.Off = days == nil; days != nil {
			t.Days.N = int(*days)
		}
		return t, nil
	}, "SELECT scope, name, days FROM service_setting ORDER BY scope, name")
}

// Terms returns the terms of a product, and what staff have set.
func (s *Service) Terms(ctx context.Context, product string) (Terms, []Setting, error) {
	all, err := s.terms(ctx, s.d.DB)
	return all.of(product), all, err
}

// SetTerm sets one term, for staff with account.PermServiceWrite. ErrSetting.
func (s *Service) SetTerm(ctx context.Context, p account.Principal, set Setting) error {
	if !p.Can(account.PermServiceWrite) {
		return ErrStaffOnly
	}
	if new(Terms).at(set.Name) == nil || set.Days.N < 0 || set.Days.N > longest || (set.Scope != "" && set.Scope != catalog.VPNGateway) {
		return ErrSetting.With("name", set.Name)
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		all, err := s.terms(ctx, tx)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(x Setting) bool { return x.Scope == set.Scope && x.Name == set.Name })
		all = append(all, set)
		for _, product := range []string{"", catalog.VPNGateway} {
			if err := all.of(product).check(); err != nil {
				return err
			}
		}
		var days *int64
		if n := int64(set.Days.N); !set.Days.Off {
			days = &n
		}
		if _, err := tx.Exec(ctx, `INSERT INTO service_setting (scope, name, days) VALUES ($1, $2, $3)
			ON CONFLICT (scope, name) DO UPDATE SET days = excluded.days`, set.Scope, set.Name, days); err != nil {
			return err
		}
		// Everything is looked at anew: what is due has moved.
		if _, err := tx.Exec(ctx, "UPDATE service_item SET next_due = $1 WHERE state IN ('active', 'suspended') AND next_due > 0",
			db.Micros(s.d.Clock.Now())); err != nil {
			return err
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "service.setting", Subject: p.Subject, Actor: staff(p),
			Detail: map[string]string{"name": set.Name, "scope": set.Scope, "days": set.Days.String()},
		})
	})
}
