package contact

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks lists what the term of added contacts ends. The job that a withdrawal
// starts ends it at once; this is for what no job ended.
func (s *Service) Stocks() []retention.Stock {
	var all []retention.Stock
	for _, kind := range []string{Phone, QQ, Region} {
		all = append(all, retention.Stock{
			Class: class, Tables: []string{tables[kind].name},
			Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) { return s.over(ctx, kind, until) },
			End:   func(ctx context.Context, i retention.Item) error { return s.end(ctx, kind, i) },
		})
	}
	return all
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

type resting struct {
	subject id.Handle
	act     string
	at      time.Time
}

// over lists values whose act was taken back on a day or before. A value whose act
// nobody knows rests on nothing: its term began when it was written.
func (s *Service) over(ctx context.Context, kind string, until civil.Day) ([]retention.Item, error) {
	rows, err := db.Select(ctx, s.d.DB, func(r db.Row) (v resting, err error) {
		var at int64
		err = r.Scan(&v.subject, &v.act, &at)
		v.at = db.FromMicros(at)
		return v, err
	}, map[string]string{
		Phone:  "SELECT subject, act, at FROM contact_phone WHERE at < $1 ORDER BY at",
		QQ:     "SELECT subject, act, at FROM contact_qq WHERE at < $1 ORDER BY at",
		Region: "SELECT subject, act, at FROM contact_region WHERE at < $1 ORDER BY at",
	}[kind], db.Micros(until.End()))
	if err != nil {
		return nil, err
	}
	var all []retention.Item
	for _, v := range rows {
		ended, err := s.d.Consent.Ended(ctx, v.subject, kind, v.act)
		switch {
		case errs.IsNotFound(err):
			ended = v.at
		case err != nil:
			return nil, err
		}
		if !ended.IsZero() && ended.Before(until.End()) {
			all = append(all, retention.Item{ID: v.act, Subject: v.subject, From: civil.DayOf(ended)})
		}
	}
	return all, nil
}

func (s *Service) end(ctx context.Context, kind string, i retention.Item) error {
	if err := s.d.Vault.DestroyClass(ctx, i.Subject, class+"/"+i.ID); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.deleteTx(ctx, tx, kind, i.Subject, i.ID) })
}
