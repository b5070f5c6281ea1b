package legalorder

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks are the orders that have ended; Retain ends what is kept of them.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{Class: class, Tables: []string{"legalorder_subject"}, Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) {
		all, err := db.Select(ctx, s.d.DB, scan, "SELECT "+columns+" FROM legalorder_order ORDER BY id")
		var items []retention.Item
		for _, o := range all {
			if day := civil.DayOf(o.Expires); !until.Before(day) {
				items = append(items, retention.Item{ID: o.ID, From: day})
			}
		}
		return items, err
	}}}
}
