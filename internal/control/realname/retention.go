package realname

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// classResult is the retention class of what a check came to.
const classResult = "realname_result"

// Needs tells whether something that an account has asks for a verified identity,
// and else when what did so last was over; zero: never. The service module fills it.
type Needs interface {
	IdentityNeeded(ctx context.Context, owner account.ID) (still bool, last time.Time, err error)
}

// Stocks are the values and results that no service asks for any more, counted from
// the end of the last one that did, or from the decision.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{
		{Class: classValue, Tables: []string{"realname_verification", "realname_attempt"}, Items: s.overValues, End: s.endValues},
		{Class: classResult, Tables: []string{"realname_verification", "realname_grant"}, Items: s.overResults, End: s.endResult},
	}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

// In Hong Kong nothing needs the values once there is a result.
func (s *Service) overValues(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return s.over(ctx, until, " AND name IS NOT NULL", s.profile == "hongkong")
}

func (s *Service) overResults(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return s.over(ctx, until, "", false)
}

func (s *Service) over(ctx context.Context, until civil.Day, which string, unneeded bool) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.db, scanVerification, "SELECT "+columns+` FROM realname_verification
		WHERE decided_at > 0 AND decided_at < $1 AND state IN ('verified', 'change_requested', 'rejected', 'revoked', 'unknown')`+which+
		" ORDER BY decided_at, id", db.Micros(until.End()))
	if err != nil || s.needs == nil {
		return nil, err
	}
	var items []retention.Item
	for _, v := range all {
		from := civil.DayOf(v.DecidedAt)
		if !unneeded {
			still, last, err := s.needs.IdentityNeeded(ctx, v.Account)
			if err != nil {
				return nil, err
			}
			if still {
				continue
			}
			if last.After(v.DecidedAt) {
				from = civil.DayOf(last)
			}
		}
		if !until.Before(from) {
			items = append(items, retention.Item{ID: v.ID, Subject: v.Subject, From: from})
		}
	}
	return items, nil
}

func (s *Service) endValues(ctx context.Context, i retention.Item) error {
	v, err := byID(ctx, s.db, i.ID)
	if errs.IsNotFound(err) || err == nil && len(v.name) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return s.erase(ctx, v)
}

// endResult deletes a verification whose values are gone and, with the last of the
// person, what counted the attempts and the key of what the log tells of them.
func (s *Service) endResult(ctx context.Context, i retention.Item) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		v, err := byID(ctx, tx, i.ID)
		if errs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.ExecOne(ctx, retention.ErrLater, "DELETE FROM realname_verification WHERE id = $1 AND name IS NULL", v.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM realname_grant WHERE verification = $1", v.ID); err != nil {
			return err
		}
		left, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM realname_verification WHERE subject = $1", v.Subject)
		if err != nil || left > 0 {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM realname_attempt WHERE account = $1", v.Account); err != nil {
			return err
		}
		fault.Point("realname-before-result-key")
		// Inside, so that a crash leaves the row to be found again.
		return s.vault.DestroyClass(ctx, v.Subject, classResult)
	})
}
