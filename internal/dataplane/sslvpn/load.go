package sslvpn

import (
	"crypto/x509"
	"math"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
)

const (
	// sampleEvery is how often rates are looked at (spec VPN service, 8.1).
	sampleEvery = 10 * time.Second
	failWindow  = 30 // samples: five minutes
)

// Load says how near a Service is to its limits. Of gateways, servers and
// certificates it tells the one that is nearest, and not which.
type Load struct {
	UsageIn, UsageOut float64 // of a gateway's bandwidth in the last sample, in percent; 0 where none has a limit
	Sessions          float64 // of the sessions that a gateway may have, in percent; 0 where none has a limit
	DTLS              float64 // part of the attached sessions whose data goes by DTLS, 0 to 1
	PoolFree          int     // IPv4 addresses that a server has left; -1 without a server
	CertificateDays   float64 // until a server's certificate ends, below 0 after it; NaN without a server
	LoginFailures     uint64  // of the last five minutes
}

// moved are bytes inside the tunnels of one gateway; in is from clients.
type moved struct{ in, out uint64 }

// sampler keeps what rates are made of. Its zero value is ready.
type sampler struct {
	mu    sync.Mutex
	at    time.Time          // of the last sample
	moved map[string]moved   // totals then, by gateway
	fails [failWindow]uint64 // total of failures at each of the last samples
	n     int                // samples so far
	usage [2]float64         // percent, in and out
}

// sample looks at the totals if it is time.
func (s *Service) sample(now time.Time) {
	p := &s.sampler
	p.mu.Lock()
	defer p.mu.Unlock()
	span := now.Sub(p.at)
	if p.n > 0 && span < sampleEvery {
		return
	}
	totals := s.movedByGateway()
	p.usage = [2]float64{}
	for id, t := range totals {
		if was, ok := p.moved[id]; ok && span > 0 {
			up, down := s.ratesOf(id)
			p.usage[0] = max(p.usage[0], percentOf(t.in-was.in, span, up))
			p.usage[1] = max(p.usage[1], percentOf(t.out-was.out, span, down))
		}
	}
	p.at, p.moved = now, totals
	p.fails[p.n%failWindow] = s.tally.failures()
	p.n++
}

// percentOf is what of a rate in bit/s bytes in a time are.
func percentOf(bytes uint64, in time.Duration, rate int64) float64 {
	if rate <= 0 {
		return 0
	}
	return 100 * float64(bytes) * 8 / in.Seconds() / float64(rate)
}

// movedByGateway are the totals of this process, of live and ended sessions.
func (s *Service) movedByGateway() map[string]moved {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make(map[string]moved, len(s.gateways))
	for id := range s.gateways {
		out[id] = s.tally.moved[id]
	}
	for _, c := range s.sessions {
		if m, ok := out[c.rec.Gateway]; ok {
			in, o, _, _ := c.ofThisProcess()
			out[c.rec.Gateway] = moved{m.in + in, m.out + o}
		}
	}
	return out
}

func (s *Service) ratesOf(gateway string) (up, down int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.gateways[gateway]
	if g == nil {
		return 0, 0
	}
	return g.up.Rate(), g.down.Rate()
}

// Load returns the present numbers; rates are those of the last sample.
func (s *Service) Load() Load {
	l := Load{PoolFree: -1, CertificateDays: math.NaN()}
	s.sampler.fill(&l, s.tally.failures())
	now := s.cfg.Clock.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, g := range s.gateways {
		if limit := g.state.Load().SessionLimit; limit > 0 {
			l.Sessions = max(l.Sessions, 100*float64(g.table.len())/float64(limit))
		}
	}
	for _, srv := range s.servers {
		if free := srv.pool.Free(); l.PoolFree < 0 || free < l.PoolFree {
			l.PoolFree = free
		}
		if end := srv.certificateEnd(); !end.IsZero() {
			days := end.Sub(now).Hours() / 24
			if math.IsNaN(l.CertificateDays) || days < l.CertificateDays {
				l.CertificateDays = days
			}
		}
	}
	l.DTLS = dtlsPart(s.sessions)
	return l
}

func (p *sampler) fill(l *Load, failures uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.UsageIn, l.UsageOut = p.usage[0], p.usage[1]
	l.LoginFailures = failures
	if p.n >= failWindow { // the oldest is the next to be replaced
		l.LoginFailures -= p.fails[p.n%failWindow]
	}
}

func dtlsPart(sessions map[string]*liveSession) float64 {
	attached, dtls := 0, 0
	for _, c := range sessions {
		switch session.Channel(c.transport.Load()) {
		case session.None:
		case session.DTLS:
			dtls++
			fallthrough
		case session.TLS:
			attached++
		}
	}
	return float64(dtls) / float64(max(attached, 1))
}

// certificateEnd is the end of what the server shows; zero when it shows none.
func (s *server) certificateEnd() time.Time {
	switch {
	case s.cert == nil || len(s.cert.Certificate) == 0:
		return time.Time{}
	case s.cert.Leaf != nil:
		return s.cert.Leaf.NotAfter
	}
	leaf, err := x509.ParseCertificate(s.cert.Certificate[0])
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter
}
