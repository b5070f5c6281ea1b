package api

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/residency"
)

// ExportCounter is how many people's data left the region in a calendar year.
type ExportCounter struct {
	Year      int64 `json:"year"`
	Sensitive bool  `json:"sensitive" doc:"Counts those whose sensitive data left"`
	People    int64 `json:"people" doc:"Each once"`
	Next      int64 `json:"next,omitempty" doc:"The number at which the law asks for more"`
	Alarm     bool  `json:"alarm" doc:"At least 80 % of it"`
}

// ExportCounters registers the counters of transfers (clause LT-5.1b).
func ExportCounters(a *API, s *residency.Service) {
	Get(a, "/admin/export-counters", Operation{ID: "admin-list-export-counters", Summary: "People whose data left the region, by year", Tag: "Staff", Access: Staff(account.PermAgreementRead)},
		func(ctx context.Context, _ *struct{}) (*Body[List[ExportCounter]], error) {
			all, err := s.Counters(ctx)
			return page(all, "", err, func(c residency.Counter) ExportCounter { return ExportCounter(c) })
		})
}
