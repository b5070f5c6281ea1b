package app

import (
	"net/http"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// fiftyTimes does one act fifty times at once, each with a key of its own as
// fifty clicks would, and returns how often each status was answered. A 5xx
// fails the test.
func (p *person) fiftyTimes(method, path string, body object) map[int]int {
	p.in.t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 50 {
		wg.Go(func() {
			a := p.try(method, path, body, id.Random(10))
			if a.status >= http.StatusInternalServerError {
				p.in.t.Errorf("%s %s: one of fifty: got %s", method, path, a)
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	wg.Wait()
	return statuses
}

// An act about one's own data that is sent fifty times at once has one effect: one
// act of consent, one withdrawal, one case, one file, one erasure.
func TestFiftyOfAnActAboutOnesDataAreOne(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner := in.customer("alice", 1)
	handle := string(owner.self().Handle)
	acts := func(decision string) int64 {
		return in.count(t, "consent_event WHERE subject = '"+handle+"' AND purpose = 'contact.qq' AND decision = '"+decision+"'")
	}

	token := owner.do(200, "GET", "/consent-prompts/contact.qq", nil).str("token")
	if got := owner.fiftyTimes("POST", "/consents", object{"token": token, "decision": "grant"}); got[201] < 1 || acts("grant") != 1 {
		t.Errorf("fifty consents: answers %v, %d acts", got, acts("grant"))
	}
	if got := owner.fiftyTimes("DELETE", "/consents/contact.qq", nil); got[204] < 1 || acts("withdraw") != 1 {
		t.Errorf("fifty withdrawals: answers %v, %d acts", got, acts("withdraw"))
	}

	before := in.count(t, "privacy_request")
	owner.fiftyAtOnce("POST", "/data-subject-requests", object{"kind": "explain", "words": "once"})
	if n := in.count(t, "privacy_request"); n != before+1 {
		t.Errorf("fifty requests with one key made %d", n-before)
	}
	asked := owner.do(201, "POST", "/data-subject-requests", object{"kind": "restrict", "words": "and stopped"}).str("id")
	events := func() int64 {
		return in.count(t, "audit_leaf WHERE type = 'privacy.request_withdrawn' AND handle = '"+handle+"'")
	}
	had := events()
	if got := owner.fiftyTimes("POST", "/data-subject-requests/"+asked+"/withdraw", nil); got[200] < 1 || events() != had+1 {
		t.Errorf("fifty withdrawals of a request: answers %v, %d events", got, events()-had)
	}
	copied := owner.do(201, "POST", "/data-subject-requests", object{"kind": "copy"}).str("id")
	in.drain()
	if got := owner.fiftyTimes("POST", "/data-subject-requests/"+copied+"/copy", nil); got[200] != 1 {
		t.Errorf("a copy that can be fetched once: answers %v", got)
	}

	u := owner.vpnUser()
	if got := u.fiftyTimes("POST", "/vpn-user/erasure", object{"user_name": u.name}); got[202] < 1 {
		t.Errorf("fifty erasures of a VPN user: answers %v", got)
	}
	owner.session = sessionOf(owner.do(204, "POST", "/me/step-up", object{"password": owner.password}))
	if got := owner.fiftyTimes("POST", "/account-closure", object{"user_name": owner.name}); got[202] < 1 {
		t.Errorf("fifty closures: answers %v", got)
	}
	if n := in.count(t, "erasure_case WHERE subject = '"+handle+"'"); n != 1 {
		t.Errorf("fifty closures made %d erasures", n)
	}
	if n := in.count(t, "erasure_case"); n != 2 {
		t.Errorf("two people left fifty times each: %d erasures", n)
	}
}
