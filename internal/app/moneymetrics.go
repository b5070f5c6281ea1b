package app

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// moneyMetrics tell of money that waits for a person.
func (m *modules) moneyMetrics() []metric.Family {
	return []metric.Family{
		{
			Name: "skybridge_control_differences", Help: "What providers' bills and the books do not say alike and nobody has settled, by kind.", Kind: metric.Gauge,
			Labels: []string{"kind"}, Read: func(ctx context.Context) ([]metric.Sample, error) {
				r, err := m.payment.Reconciled(ctx)
				n := map[string]float64{}
				for kind, open := range r.Open {
					n[string(kind)] = float64(open)
				}
				return metric.ByLabel(n), err
			},
		},
		{
			Name: "skybridge_control_bills_late", Help: "Bills of providers that are more than a day late.", Kind: metric.Gauge,
			Read: func(ctx context.Context) ([]metric.Sample, error) {
				r, err := m.payment.Reconciled(ctx)
				return []metric.Sample{{Value: float64(r.Late)}}, err
			},
		},
		{
			Name: "skybridge_control_suspense_receipts", Help: "Receipts of money that belongs to nobody yet.", Kind: metric.Gauge,
			Read: func(ctx context.Context) ([]metric.Sample, error) {
				r, err := m.payment.Reconciled(ctx)
				return []metric.Sample{{Value: float64(r.Suspense)}}, err
			},
		},
	}
}
