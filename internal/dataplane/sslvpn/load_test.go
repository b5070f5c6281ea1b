package sslvpn

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

func TestHowNearTheLimitsAre(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Clock: now}, "127.0.0.1")
	r.spec.SessionLimit, r.spec.UpRate, r.spec.DownRate = 4, 8_000_000, 0
	r.apply()
	if l := r.svc.Load(); l.Sessions != 0 || l.DTLS != 0 || l.PoolFree != 253 {
		t.Errorf("nobody there: got %+v", l)
	}
	r.attached("ann")
	_, d := r.withDTLS("ben")
	d.handshake()
	r.eventually("one of two goes by DTLS", func() bool { return r.svc.Load().DTLS == 0.5 })
	if l := r.svc.Load(); l.Sessions != 50 || l.PoolFree != 251 || l.CertificateDays <= 0 || l.CertificateDays > 1/24.0 {
		t.Errorf("two sessions of four: got %+v", l)
	}
	now.Advance(2 * time.Hour)
	if l := r.svc.Load(); l.CertificateDays >= 0 {
		t.Errorf("a certificate that has ended has %f days left", l.CertificateDays)
	}
	r.certs["sslsrv-1"], r.spec.SSLServers = nil, nil
	r.apply()
	if l := r.svc.Load(); !math.IsNaN(l.CertificateDays) || l.PoolFree != -1 {
		t.Errorf("without servers: got %+v", l)
	}
}

// TestRatesAreOfTheLastSample moves bytes by the counters, of a session that
// ends meanwhile too.
func TestRatesAreOfTheLastSample(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Clock: now}, "127.0.0.1")
	r.spec.UpRate, r.spec.DownRate = 8_000_000, 80_000_000
	r.apply()
	r.attached("ann")
	c := r.svc.all()[0]
	next := func() Load {
		r.svc.sample(now.Now())
		return r.svc.Load()
	}
	next()
	c.bytesIn.Add(5_000_000)
	c.bytesOut.Add(10_000_000)
	r.svc.tally.fail(FailCredentials)
	if l := next(); l.UsageIn != 0 || l.LoginFailures != 1 {
		t.Errorf("before a sample is due: got %+v", l)
	}
	now.Advance(sampleEvery)
	if l := next(); l.UsageIn != 50 || l.UsageOut != 10 {
		t.Errorf("half of up and a tenth of down: got %+v", l)
	}
	c.bytesIn.Add(1_000_000)
	r.svc.CloseSessions([]gwlink.Closure{{Session: "ses_1", Reason: gwlink.ReasonAdministrator}})
	now.Advance(sampleEvery)
	if l := next(); l.UsageIn != 10 || l.UsageOut != 0 {
		t.Errorf("what an ended session moved counts: got %+v", l)
	}
	for range failWindow - 3 {
		now.Advance(sampleEvery)
		next()
	}
	if l := r.svc.Load(); l.UsageIn != 0 || l.LoginFailures != 1 {
		t.Errorf("within five minutes: got %+v", l)
	}
	now.Advance(sampleEvery)
	next()
	now.Advance(sampleEvery)
	if l := next(); l.LoginFailures != 0 {
		t.Errorf("after five minutes: got %+v", l)
	}
}
