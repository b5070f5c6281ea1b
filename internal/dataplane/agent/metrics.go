package agent

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// metrics are the numbers of this node. docs/operations/watch.md explains them.
func (a *agent) metrics() *metric.Registry {
	return metric.New(a.log, append(a.trafficMetrics(), a.nodeMetrics()...)...)
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
