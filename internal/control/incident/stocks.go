package incident

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks are the lists of people of incidents that are closed; Retain ends them.
func (s *Service) Stocks() []retention.Stock {
	tables := []string{"incident_person", "incident_delivery", "incident_task"}
	return []retention.Stock{{Class: class, Tables: tables, Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) {
		return db.Select(ctx, s.d.DB, func(r db.Row) (i retention.Item, err error) {
			var at int64
			err = r.Scan(&i.ID, &at)
			i.From = civil.DayOf(db.FromMicros(at))
			return i, err
		}, `SELECT id, closed_at FROM incident_incident WHERE closed_at > 0 AND closed_at < $1
			AND EXISTS (SELECT 1 FROM incident_person p WHERE p.incident = incident_incident.id)`, db.Micros(until.End()))
	}}}
}
