package app

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// paperMetrics tell of papers that sharing rests on.
func (m *modules) paperMetrics() []metric.Family {
	return []metric.Family{{
		Name: "skybridge_control_agreements", Help: "Papers that recipients need, by state: live, ending (within 30 days), ended, missing (the last two shut a recipient).", Kind: metric.Gauge,
		Labels: []string{"state"}, Read: func(ctx context.Context) ([]metric.Sample, error) {
			all, err := m.agreement.Needs(ctx)
			n := map[string]float64{agreement.Live: 0, agreement.Ending: 0, agreement.Ended: 0, agreement.Missing: 0}
			for _, need := range all {
				n[need.State]++
			}
			return metric.ByLabel(n), err
		},
	}}
}
