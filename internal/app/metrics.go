package app

import (
	"context"
	"database/sql"
	"log/slog"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// metrics are the numbers of a control process. docs/operations/watch.md
// explains them. Those of the business are read from the database, and are the
// same at every control process.
func (m *modules) metrics(s *stores, log *slog.Logger) *metric.Registry {
	return metric.New(log, slices.Concat(m.fleetMetrics(), m.workMetrics(), m.paperMetrics(), m.moneyMetrics(), m.evidenceMetrics(), backupMetrics(s), poolMetrics(s))...)
}

func (m *modules) fleetMetrics() []metric.Family {
	return []metric.Family{
		{
			Name: "skybridge_control_vpn_sessions", Help: "Live VPN sessions of all nodes, as they reported them.", Kind: metric.Gauge,
			Read: func(ctx context.Context) ([]metric.Sample, error) {
				n, err := m.fleet.LiveCount(ctx)
				return []metric.Sample{{Value: float64(n)}}, err
			},
		},
		{
			Name: "skybridge_control_node_report_age_seconds", Help: "Time since a node reported; nodes that never did are left out.", Kind: metric.Gauge,
			Labels: []string{"node"}, Read: m.reportAges,
		},
		{
			Name: "skybridge_control_nodes", Help: "Gateway nodes by health.", Kind: metric.Gauge,
			Labels: []string{"health"}, Read: m.healths,
		},
		{
			Name: "skybridge_control_vpn_login_rounds_total", Help: "Rounds of VPN logins that this process answered, by outcome.", Kind: metric.Counter,
			Labels: []string{"outcome"}, Read: m.logins.Read,
		},
	}
}

func (m *modules) reportAges(ctx context.Context) ([]metric.Sample, error) {
	all, err := m.fleet.Nodes(ctx)
	ages, now := map[string]float64{}, time.Now()
	for _, n := range all {
		if !n.LastSeen.IsZero() {
			ages[n.Name] = now.Sub(n.LastSeen).Seconds()
		}
	}
	return metric.ByLabel(ages), err
}

func (m *modules) healths(ctx context.Context) ([]metric.Sample, error) {
	all, err := m.fleet.Nodes(ctx)
	n, now := map[string]float64{"online": 0, "behind": 0, "offline": 0, "new": 0}, time.Now()
	for _, node := range all {
		n[string(node.Health(now))]++
	}
	return metric.ByLabel(n), err
}

func (m *modules) workMetrics() []metric.Family {
	return []metric.Family{
		{
			Name: "skybridge_control_jobs", Help: "Jobs of all processes: due, later, running, dead (gave up: a person has to look).", Kind: metric.Gauge,
			Labels: []string{"state"}, Read: func(ctx context.Context) ([]metric.Sample, error) {
				d, err := m.queue.Depth(ctx)
				return metric.ByLabel(map[string]float64{"due": float64(d.Due), "later": float64(d.Later), "running": float64(d.Running), "dead": float64(d.Dead)}), err
			},
		},
		{
			Name: "skybridge_control_job_oldest_seconds", Help: "How long the oldest due job has waited.", Kind: metric.Gauge,
			Read: func(ctx context.Context) ([]metric.Sample, error) {
				d, err := m.queue.Depth(ctx)
				return []metric.Sample{{Value: d.Oldest.Seconds()}}, err
			},
		},
		{
			Name: "skybridge_control_privacy_requests", Help: "Open requests of data subjects: in time, due within a day, past due.", Kind: metric.Gauge,
			Labels: []string{"due"}, Read: func(ctx context.Context) ([]metric.Sample, error) {
				n, err := m.privacy.Standing(ctx)
				return metric.ByLabel(map[string]float64{"later": float64(n.Open - n.DueSoon - n.Overdue), "soon": float64(n.DueSoon), "over": float64(n.Overdue)}), err
			},
		},
		{
			Name: "skybridge_control_read_stops", Help: "Readers who were stopped for opening the data of more than 50 people within an hour, and wait for a second person.", Kind: metric.Gauge,
			Read: func(ctx context.Context) ([]metric.Sample, error) {
				n, err := m.audit.StopsStanding(ctx)
				return []metric.Sample{{Value: float64(n)}}, err
			},
		},
		{
			Name: "skybridge_control_tickets_late", Help: "Tickets to which staff owed a word before now.", Kind: metric.Gauge,
			Read: func(ctx context.Context) ([]metric.Sample, error) {
				n, err := m.ticket.Late(ctx)
				return []metric.Sample{{Value: float64(n)}}, err
			},
		},
		{
			Name: "skybridge_control_egress_total", Help: "Calls to third parties of this process by outcome: done, failed, unknown, or refused before anything was sent.", Kind: metric.Counter,
			Labels: []string{"recipient", "operation", "outcome"}, Read: m.egress.Calls().Read,
		},
	}
}

func backupMetrics(s *stores) []metric.Family {
	of := func(read func(backup.State) (float64, bool)) func(context.Context) ([]metric.Sample, error) {
		return func(ctx context.Context) ([]metric.Sample, error) {
			all, err := backup.States(ctx, s.main)
			values := map[string]float64{}
			for _, state := range all {
				if v, ok := read(state); ok {
					values[string(state.Store)] = v
				}
			}
			return metric.ByLabel(values), err
		}
	}
	return []metric.Family{
		{
			Name: "skybridge_control_backup_age_seconds", Help: "Time since the last backup that was done; stores without one are left out.", Kind: metric.Gauge, Labels: []string{"store"},
			Read: of(func(s backup.State) (float64, bool) { return time.Since(s.Success).Seconds(), !s.Success.IsZero() }),
		},
		{
			Name: "skybridge_control_backup_failed", Help: "1 if the last backup of the store failed.", Kind: metric.Gauge, Labels: []string{"store"},
			Read: of(func(s backup.State) (float64, bool) { return float64(db.Bool(s.Failure != "")), true }),
		},
	}
}

func poolMetrics(s *stores) []metric.Family {
	of := func(read func(sql.DBStats) float64) func(context.Context) ([]metric.Sample, error) {
		return func(context.Context) (all []metric.Sample, err error) {
			for name, d := range map[string]*db.DB{"main": s.main, "keys": s.keys} {
				for pool, stats := range d.Pools() {
					all = append(all, metric.Sample{Labels: []string{name, pool}, Value: read(stats)})
				}
			}
			return metric.Sorted(all), nil
		}
	}
	return []metric.Family{
		{Name: "skybridge_control_db_open", Help: "Open connections.", Kind: metric.Gauge, Labels: []string{"database", "pool"}, Read: of(func(s sql.DBStats) float64 { return float64(s.OpenConnections) })},
		{Name: "skybridge_control_db_in_use", Help: "Connections in use.", Kind: metric.Gauge, Labels: []string{"database", "pool"}, Read: of(func(s sql.DBStats) float64 { return float64(s.InUse) })},
		{Name: "skybridge_control_db_waits_total", Help: "Times that a connection was waited for.", Kind: metric.Counter, Labels: []string{"database", "pool"}, Read: of(func(s sql.DBStats) float64 { return float64(s.WaitCount) })},
		{Name: "skybridge_control_db_wait_seconds_total", Help: "Time waited for connections.", Kind: metric.Counter, Labels: []string{"database", "pool"}, Read: of(func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() })},
	}
}
