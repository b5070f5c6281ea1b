package vpn

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

const (
	// maxQuota is the highest allowance in bytes (1 PiB).
	maxQuota = 1 << 50
	// quotaEvery is how often allowances are held against what nodes have
	// reported: with their two seconds, a session ends within ten.
	quotaEvery = 5 * time.Second
	// quotaMargin is how far back is looked each time, for reports that were
	// being taken in meanwhile.
	quotaMargin = 30 * time.Second
)

// usedUp tells which allowance of a client is used up, in words for the person;
// empty if none is.
func (c ClientSettings) usedUp(u fleet.Usage) string {
	switch {
	case c.MonthlyQuota > 0 && u.Month >= uint64(c.MonthlyQuota):
		return textMonthUsed
	case c.DailyQuota > 0 && u.Day >= uint64(c.DailyQuota):
		return textDayUsed
	}
	return ""
}

// ClientUsage is what a client moved in the present day and month, and when
// these end (+08:00).
type ClientUsage struct {
	fleet.Usage
	DayEnds, MonthEnds time.Time
}

// Usage returns what a client of an account has moved.
func (s *Service) Usage(ctx context.Context, owner account.ID, client string) (ClientUsage, error) {
	c, err := clientFor(ctx, s.db, owner, client)
	if err != nil {
		return ClientUsage{}, err
	}
	u, err := s.fleet.Usage(ctx, c.ID)
	day, month := fleet.PeriodEnds(s.clock.Now())
	return ClientUsage{u, day, month}, err
}

// enforceQuotas ends the sessions of clients whose allowance is used up. Only
// those that moved something since the last time are looked at.
func (s *Service) enforceQuotas(ctx context.Context) error {
	began := s.clock.Now()
	used, err := s.fleet.UsedSince(ctx, s.quotasHeld().Add(-quotaMargin))
	if err != nil {
		return err
	}
	limited, err := idsOf(ctx, s.db, "SELECT id FROM vpn_client WHERE daily_quota > 0 OR monthly_quota > 0")
	if err != nil {
		return err
	}
	// The last counts of a session may come after its client was deleted.
	gone, err := idsOf(ctx, s.db, "SELECT id FROM vpn_gone WHERE gone_at > $1", db.Micros(began.AddDate(0, 0, -1)))
	if err != nil {
		return err
	}
	var failed []error // one client's do not keep the others
	for _, u := range used {
		switch {
		case limited[u.Client]:
			err = s.enforceQuota(ctx, u.Client)
		case gone[u.Client]:
			err = s.db.InTx(ctx, func(tx *db.Tx) error { return s.fleet.ForgetUsageTx(ctx, tx, u.Client) })
		default:
			continue
		}
		if err != nil && !errs.IsNotFound(err) {
			failed = append(failed, err)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err // the next time looks as far back
	}
	s.mu.Lock()
	s.quotaHeld = began
	s.mu.Unlock()
	return nil
}

func idsOf(ctx context.Context, q db.Q, query string, args ...any) (map[string]bool, error) {
	all, err := db.Select(ctx, q, db.One[string], query, args...)
	ids := make(map[string]bool, len(all))
	for _, one := range all {
		ids[one] = true
	}
	return ids, err
}

// quotasHeld is when this process last looked at everything.
func (s *Service) quotasHeld() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quotaHeld.IsZero() {
		return s.clock.Now().AddDate(0, 0, -31)
	}
	return s.quotaHeld
}

func (s *Service) enforceQuota(ctx context.Context, client string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientByID(ctx, tx, client)
		if err != nil {
			return err
		}
		return s.holdToQuotaTx(ctx, tx, c)
	})
}

// holdToQuotaTx ends a client's sessions if its new allowance is used up
// already.
func (s *Service) holdToQuotaTx(ctx context.Context, tx *db.Tx, c SSLClient) error {
	u, err := s.fleet.UsageTx(ctx, tx, c.ID)
	if err != nil || c.usedUp(u) == "" {
		return err
	}
	if err := s.allowanceReachedTx(ctx, tx, c); err != nil {
		return err
	}
	return s.endClientTx(ctx, tx, c, gwlink.ReasonQuota)
}

// allowance says which allowance of the client is used up; such a login ends
// here, but is no failed one.
func (l login) allowance(ctx context.Context, tx *db.Tx, c SSLClient) (string, error) {
	if c.DailyQuota == 0 && c.MonthlyQuota == 0 {
		return "", nil
	}
	u, err := l.s.fleet.UsageTx(ctx, tx, c.ID)
	return c.usedUp(u), err
}
