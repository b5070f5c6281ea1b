package agent

import (
	"context"
	"math"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// metrics are the numbers of this node. docs/operations/watch.md explains them.
func (a *agent) metrics() *metric.Registry {
	return metric.New(a.log, append(a.trafficMetrics(), append(a.loadMetrics(), a.nodeMetrics()...)...)...)
}

// tallied makes the Read of a family that a Tally answers.
func (a *agent) tallied(read func(sslvpn.Tally) []metric.Sample) func(context.Context) ([]metric.Sample, error) {
	return func(context.Context) ([]metric.Sample, error) { return read(a.svc.Tally()), nil }
}

func (a *agent) trafficMetrics() []metric.Family {
	both := func(in, out uint64) []metric.Sample {
		return metric.ByLabel(map[string]float64{"in": float64(in), "out": float64(out)})
	}
	return []metric.Family{
		{
			Name: "skybridge_gateway_sessions", Help: "Live VPN sessions by the channel that carries them; detached ones wait for their client.", Kind: metric.Gauge,
			Labels: []string{"transport"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return floats(t.Sessions) }),
		},
		{
			Name: "skybridge_gateway_bytes_total", Help: "Bytes of packets inside the tunnels; in is from clients.", Kind: metric.Counter,
			Labels: []string{"direction"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return both(t.BytesIn, t.BytesOut) }),
		},
		{
			Name: "skybridge_gateway_packets_total", Help: "Packets inside the tunnels; in is from clients.", Kind: metric.Counter,
			Labels: []string{"direction"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return both(t.PacketsIn, t.PacketsOut) }),
		},
		{
			Name: "skybridge_gateway_drops_total", Help: "Frames that were dropped, by cause.", Kind: metric.Counter,
			Labels: []string{"cause"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return floats(t.Drops) }),
		},
		{
			Name: "skybridge_gateway_handshakes_total", Help: "Handshakes of TLS and DTLS, by outcome.", Kind: metric.Counter,
			Labels: []string{"handshake"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return floats(t.Handshakes) }),
		},
		{
			Name: "skybridge_gateway_logins_total", Help: "Logins that were decided, by outcome.", Kind: metric.Counter,
			Labels: []string{"outcome"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return floats(t.Logins) }),
		},
		{
			Name: "skybridge_gateway_sessions_ended_total", Help: "Sessions that ended, by reason.", Kind: metric.Counter,
			Labels: []string{"reason"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return floats(t.Ended) }),
		},
	}
}

// loadMetrics are those of vpn-service 8.1 that are no sums: of several gateways
// or servers the one nearest to its limit is told.
func (a *agent) loadMetrics() []metric.Family {
	of := func(name, help string, read func(sslvpn.Load) float64) metric.Family {
		return metric.Family{Name: "skybridge_gateway_" + name, Help: help, Kind: metric.Gauge, Read: func(context.Context) ([]metric.Sample, error) {
			v := read(a.svc.Load())
			if math.IsNaN(v) {
				return nil, nil // there is nothing to tell of
			}
			return []metric.Sample{{Value: v}}, nil
		}}
	}
	return []metric.Family{
		{
			Name: "skybridge_gateway_usage_pct", Help: "Use of the purchased bandwidth in the last ten seconds, of the busiest gateway; in is from clients.", Kind: metric.Gauge,
			Labels: []string{"direction"}, Read: func(context.Context) ([]metric.Sample, error) {
				l := a.svc.Load()
				return metric.ByLabel(map[string]float64{"in": l.UsageIn, "out": l.UsageOut}), nil
			},
		},
		of("ssl_usage_pct", "Sessions in percent of those allowed, of the fullest gateway.", func(l sslvpn.Load) float64 { return l.Sessions }),
		of("ssl_dtls_ratio", "Part of the attached sessions whose data goes by DTLS.", func(l sslvpn.Load) float64 { return l.DTLS }),
		of("ssl_pool_free", "IPv4 addresses left, of the server with the fewest.", func(l sslvpn.Load) float64 {
			if l.PoolFree < 0 {
				return math.NaN()
			}
			return float64(l.PoolFree)
		}),
		{
			Name: "skybridge_gateway_ssl_login_fail_total", Help: "Rounds of logins that failed, by reason.", Kind: metric.Counter,
			Labels: []string{"reason"}, Read: a.tallied(func(t sslvpn.Tally) []metric.Sample { return floats(t.LoginFails) }),
		},
		of("ssl_login_fail_5m", "Rounds of logins that failed in the last five minutes.", func(l sslvpn.Load) float64 { return float64(l.LoginFailures) }),
		of("cert_days_left", "Days until a server's certificate ends, of the first to end.", func(l sslvpn.Load) float64 { return l.CertificateDays }),
	}
}

func (a *agent) nodeMetrics() []metric.Family {
	return []metric.Family{
		{
			Name: "skybridge_gateway_report_age_seconds", Help: "Time since control took a report; since the start of the process if it took none.", Kind: metric.Gauge,
			Read: metric.One(func() float64 { return a.rep.age(time.Now()).Seconds() }),
		},
		{
			Name: "skybridge_gateway_report_waiting", Help: "Openings and closings of sessions that control has not taken yet.", Kind: metric.Gauge,
			Read: metric.One(func() float64 { return float64(a.rep.waiting()) }),
		},
		{
			Name: "skybridge_gateway_applied_generation", Help: "Generation of the desired state that was applied last.", Kind: metric.Gauge,
			Read: metric.One(func() float64 { return float64(a.rec.generation()) }),
		},
		{
			Name: "skybridge_gateway_gateways", Help: "VPN gateways of this node, by whether they are as desired.", Kind: metric.Gauge,
			Labels: []string{"state"}, Read: func(context.Context) ([]metric.Sample, error) {
				n := map[string]float64{"applied": 0, "failed": 0}
				for _, o := range a.rec.observed() {
					n[o.State]++
				}
				return metric.ByLabel(n), nil
			},
		},
	}
}

func floats(of map[string]uint64) []metric.Sample {
	all := make(map[string]float64, len(of))
	for label, n := range of {
		all[label] = float64(n)
	}
	return metric.ByLabel(all)
}
