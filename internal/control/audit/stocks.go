package audit

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks are the details of months that are over and not empty; Retain ends them.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{Class: "disclosure", Tables: []string{"audit_payload"}, Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) {
		all, err := db.Select(ctx, s.db, func(r db.Row) (k overKey, err error) { return k, r.Scan(&k.handle, &k.class) },
			"SELECT DISTINCT handle, class FROM audit_payload WHERE class LIKE 'disclosure/%' AND length(body) > 0")
		var items []retention.Item
		for _, k := range all {
			if _, last, ok := lastDay(k.class); ok && !until.Before(last) {
				items = append(items, retention.Item{ID: k.class, Subject: k.handle, From: last})
			}
		}
		return items, err
	}}}
}
