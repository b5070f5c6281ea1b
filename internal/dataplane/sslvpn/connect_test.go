package sslvpn

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// TestAPanicLeavesNoLink: between the offer of DTLS and the attachment nobody but
// the connection knows the link.
func TestAPanicLeavesNoLink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, cookie := r.attached("ann", "X-DTLS-CipherSuite: PSK-NEGOTIATE")
	c, live := r.theClient()
	good := c.server.Load()
	faulty := *good
	faulty.gateway = nil
	c.server.Store(&faulty)
	p := r.dial(nil)
	if resp, _, err := p.try("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\nCookie: webvpn=" + cookie + "\r\n\r\n"); err == nil {
		t.Errorf("got %s of a server with a fault", resp.Status)
	}
	c.server.Store(good)
	r.svc.mu.RLock()
	links := len(r.svc.links)
	r.svc.mu.RUnlock()
	if links != 1 || live.link == nil {
		t.Errorf("got %d links, want that of the first connection", links)
	}
	again := r.dial(nil)
	again.connect(cookie)
	r.carries(again, "10.98.0.2")
}

// TestALateProbeOfAReplacedTunnelIsNothing: it is about the former one's MTU.
func TestALateProbeOfAReplacedTunnelIsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, cookie := r.attached("ann", "X-DTLS-CipherSuite: PSK-NEGOTIATE", "X-CSTP-Base-MTU: 1500")
	c, old := r.theClient()
	old.link.probed(1000)
	if got := c.mtu.Load(); got != 1000 {
		t.Errorf("got an MTU of %d after a probe of 1000 bytes", got)
	}
	r.dial(nil).connect(cookie, "X-DTLS-CipherSuite: PSK-NEGOTIATE", "X-CSTP-Base-MTU: 900")
	told := c.mtu.Load()
	old.link.probed(1300)
	if got := c.mtu.Load(); got != told || told >= 1300 {
		t.Errorf("got an MTU of %d, told %d, want it untouched", got, told)
	}
}

// TestABusyClientHearsThatItsSessionIsOver: what it sends meanwhile is nobody's, and must
// not have the connection reset before the last words are read.
func TestABusyClientHearsThatItsSessionIsOver(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := newRig(t)
		p, _ := r.attached("ann")
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			frame := openconnect.AppendFrame(nil, openconnect.TypeData, udpPacket("10.98.0.2", "10.77.0.2", make([]byte, 1000)))
			for {
				if _, err := p.tls.Write(frame); err != nil {
					return
				}
			}
		}()
		r.svc.CloseSessions([]gwlink.Closure{{Session: "ses_1", Reason: gwlink.ReasonAdministrator}})
		for {
			f, err := p.frame()
			if err != nil {
				t.Fatalf("the end came without a word: %v", err)
			}
			if f.Type == openconnect.TypeDisconnect {
				break
			}
		}
		_ = p.raw.Close()
		<-gone
		if c := r.nextClosed(); c.Reason != gwlink.ReasonAdministrator {
			t.Errorf("closed for %s", c.Reason)
		}
	}
}

// TestUnreadNoticesAreTold: at each connect of the session that the grant opened.
func TestUnreadNoticesAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.grant(func(g *gwlink.Grant) { g.Notices = 2 })
	cookie := r.dial(nil).login("ann")
	for range 2 {
		if got := r.dial(nil).connect(cookie).Get("X-Skybridge-Notices"); got != "2" {
			t.Errorf("got %q", got)
		}
	}
	r.grant(nil)
	if got := r.dial(nil).connect(r.dial(nil).login("bob")).Get("X-Skybridge-Notices"); got != "" {
		t.Errorf("without any: got %q", got)
	}
}
