package vpn_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

func TestALoginWithPasswordCertificateAndCode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		form, err := r.say(srv, source(1), "", c.Certificate)
		if err != nil || form.Outcome != gwlink.OutcomeForm || form.Form.ID != "main" || len(form.Form.Fields) != 2 ||
			form.Form.Fields[0].Name != "username" || form.Form.Fields[1].Name != "password" {
			t.Fatalf("first round: got %+v, %v", form, err)
		}
		challenge, err := r.say(srv, source(1), form.Conversation, c.Certificate, "username", "zhang.san", "password", secret.Password)
		if err != nil || challenge.Outcome != gwlink.OutcomeForm || challenge.Form.ID != "challenge" || challenge.Form.Fields[0].Name != "secondary_password" {
			t.Fatalf("second round: got %+v, %v", challenge, err)
		}
		done, err := r.say(srv, source(1), challenge.Conversation, c.Certificate, "secondary_password", code(t, secret.TOTP, r.clock.Now()))
		if err != nil || done.Outcome != gwlink.OutcomeGranted {
			t.Fatalf("third round: got %+v, %v", done, err)
		}
		grant := r.grantOf(t, done)
		if grant.Client != c.ID || grant.Server != srv.ID || grant.Gateway != g.ID || grant.Serial != c.Serial || grant.MaxSessions != 1 ||
			!grant.NotAfter.Equal(start.Add(24*time.Hour)) || !strings.HasPrefix(grant.Session, "ses_") {
			t.Errorf("got %+v", grant)
		}
		fresh, err := r.say(srv, source(1), challenge.Conversation, c.Certificate, "username", "zhang.san", "password", secret.Password)
		if err != nil || fresh.Outcome != gwlink.OutcomeForm || fresh.Form.ID != "challenge" || fresh.Conversation == challenge.Conversation {
			t.Errorf("a new start with an old conversation: got %+v, %v", fresh, err)
		}
		again, err := r.say(srv, source(1), challenge.Conversation, c.Certificate, "secondary_password", code(t, secret.TOTP, r.clock.Now()))
		if err != nil || !over(again) {
			t.Errorf("the same conversation again: got %+v, %v", again, err)
		}
	})
}

func TestACodeIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		const n = 50
		conversations := make([]string, n)
		for i := range n {
			a, err := r.say(srv, source(i), "", c.Certificate, "username", c.Name, "password", secret.Password)
			if err != nil || a.Conversation == "" {
				t.Fatalf("login %d: got %+v, %v", i, a, err)
			}
			conversations[i] = a.Conversation
		}
		now := code(t, secret.TOTP, r.clock.Now())
		var mu sync.Mutex
		var wg sync.WaitGroup
		granted := 0
		for i := range n {
			wg.Go(func() {
				a, err := r.say(srv, source(i), conversations[i], c.Certificate, "secondary_password", now)
				if err == nil && a.Outcome == gwlink.OutcomeGranted {
					mu.Lock()
					granted++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if granted != 1 {
			t.Errorf("%d of %d parallel logins with one code were granted, want 1", granted, n)
		}
		rows, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_grant")
		if err != nil || rows != 1 {
			t.Errorf("got %d grants noted, %v", rows, err)
		}
	})
}

func TestOneConversationIsOneTry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		ask := func(from string) string {
			a, err := r.say(srv, from, "", c.Certificate, "username", c.Name, "password", secret.Password)
			must(t, err)
			return a.Conversation
		}
		conversation := ask(source(1))
		if a, err := r.say(srv, source(2), conversation, c.Certificate, "secondary_password", code(t, secret.TOTP, r.clock.Now())); err != nil || !over(a) {
			t.Errorf("from another source: got %+v, %v", a, err)
		}
		conversation = ask(source(1))
		wrong, err := r.say(srv, source(1), conversation, c.Certificate, "secondary_password", "000000")
		if err != nil || wrong.Outcome != gwlink.OutcomeForm || wrong.Form.Error == "" || wrong.Conversation == conversation || wrong.Conversation == "" {
			t.Fatalf("a wrong code: got %+v, %v, want another challenge", wrong, err)
		}
		r.clock.Advance(301 * time.Second)
		late, err := r.say(srv, source(1), wrong.Conversation, c.Certificate, "secondary_password", code(t, secret.TOTP, r.clock.Now()))
		if err != nil || !over(late) {
			t.Errorf("after 301 s: got %+v, %v", late, err)
		}
	})
}

func TestFiveFailuresFromOneSourceLockThePairOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		try := func(from, pw string) gwlink.LoginAnswer {
			a, err := r.say(srv, from, "", nil, "username", c.Name, "password", pw)
			must(t, err)
			return a
		}
		for i := range 5 {
			a := try(source(1), "wrong")
			if want := map[bool]gwlink.Outcome{true: gwlink.OutcomeForm, false: gwlink.OutcomeRefused}[i < 4]; a.Outcome != want || (i == 4) != strings.Contains(a.Reason, "Try again in 15 minutes.") {
				t.Errorf("failure %d: got %s %q, want %s", i+1, a.Outcome, a.Reason, want)
			}
		}
		if a := try(source(1), secret.Password); a.Outcome != gwlink.OutcomeRefused {
			t.Errorf("the right password from the locked source: got %s", a.Outcome)
		}
		if a := try(source(2), secret.Password); a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("from another source: got %s %s, want granted", a.Outcome, a.Reason)
		}
		r.clock.Advance(15*time.Minute + time.Second)
		if a := try(source(1), secret.Password); a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("after 15 minutes: got %s %s, want granted", a.Outcome, a.Reason)
		}
	})
}

func TestFiftyParallelGuessesAreFiveComparisons(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		var wg sync.WaitGroup
		var mu sync.Mutex
		forms := 0
		for range 50 {
			wg.Go(func() {
				a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", "wrong")
				if err == nil && a.Outcome == gwlink.OutcomeForm {
					mu.Lock()
					forms++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if forms > 4 {
			t.Errorf("%d guesses were answered with another try, want 4 at most", forms)
		}
	})
}

func TestASourceThatGoesThroughNamesIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...)) // the statements are those of the other tests
	srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
	c, secret := r.client(t, alice, srv.ID, "zhang.san")
	for i := range 10 { // logins that succeed count for nothing
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		if err != nil || a.Outcome != gwlink.OutcomeGranted {
			t.Fatalf("login %d: got %+v, %v", i, a, err)
		}
	}
	forms := 0
	for i := range 130 {
		a, err := r.say(srv, source(1), "", nil, "username", fmt.Sprintf("name-%d", i), "password", "guess")
		must(t, err)
		if a.Outcome == gwlink.OutcomeForm {
			forms++
		}
	}
	if forms != 100 {
		t.Errorf("%d names were tried from one source, want 100", forms)
	}
	if a, err := r.say(srv, source(2), "", nil, "username", c.Name, "password", secret.Password); err != nil || a.Outcome != gwlink.OutcomeGranted {
		t.Errorf("from another source: got %+v, %v", a, err)
	}
}

func TestACorrectPasswordDoesNotForgiveWrongCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		compared := 0
		for range 20 {
			a, err := r.say(srv, source(1), "", c.Certificate, "username", c.Name, "password", secret.Password)
			must(t, err)
			if a.Outcome == gwlink.OutcomeRefused {
				break
			}
			_, err = r.say(srv, source(1), a.Conversation, c.Certificate, "secondary_password", "000000")
			must(t, err)
			compared++
		}
		if compared != 5 {
			t.Errorf("%d codes were compared, want 5", compared)
		}
	})
}

func TestUnknownNamesAndWrongPasswordsLookTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		known, err := r.say(srv, source(1), "", c.Certificate, "username", c.Name, "password", "wrong")
		must(t, err)
		unknown, err := r.say(srv, source(2), "", c.Certificate, "username", "nobody", "password", "wrong")
		must(t, err)
		if known.Outcome != unknown.Outcome || known.Form.Error != unknown.Form.Error || known.Form.Error == "" {
			t.Errorf("got %+v and %+v", known.Form, unknown.Form)
		}
	})
}

// TestAFailureCostsTheSameForWhoeverItIs: with a code alone and at the failure
// that locks, the vault does as much for a name that nobody has, and for a client
// without such a token or that is disabled, as for one with it.
func TestAFailureCostsTheSameForWhoeverItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		plain, _ := r.client(t, alice, h.srv.ID, "li.si")
		off, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: h.srv.ID, Name: "wang.wu", Token: vpn.TokenStoken})
		must(t, err)
		next := off.ClientSettings
		next.State = vpn.ClientDisabled
		must(t, second(r.s.UpdateClient(ctx, alice, off.ID, 0, next)))
		fails := func(name, typed string) (calls [5][]string) {
			for i := range calls {
				r.vault.since()
				a, err := r.say(h.srv, source(len(name)), "", nil, "username", name, "password", typed)
				if err != nil || !a.Failed {
					t.Fatalf("%s: got %+v, %v, want a failure", name, a, err)
				}
				calls[i] = r.vault.since()
			}
			r.clock.Advance(16 * time.Minute)
			return calls
		}
		for typed, want := range map[string]int{"00000000": 2, "wrong": 0} {
			fails("nobody before", typed) // the first makes nobody's token
			all := fails(h.client.Name, typed)
			if len(all[0]) != want || len(all[4]) != want+1 {
				t.Errorf("%q: the client's failures ask for %v", typed, all)
			}
			for _, name := range []string{"somebody", plain.Name, off.Name} {
				if got := fails(name, typed); !reflect.DeepEqual(got, all) {
					t.Errorf("%q of %s: got %v, want %v", typed, name, got, all)
				}
			}
		}
	})
}

// closed is an answer with a reason and nothing to fill in.
func closed(a gwlink.LoginAnswer) bool {
	return a.Outcome == gwlink.OutcomeForm && a.Form.Error != "" && len(a.Form.Fields) == 0 && a.Grant == nil
}

// over is the first form again, which says that the conversation is none.
func over(a gwlink.LoginAnswer) bool {
	return a.Outcome == gwlink.OutcomeForm && a.Form.ID == "main" && len(a.Form.Fields) == 2 && a.Form.Error == "The login took too long. Start again." && !a.Failed
}

func TestCertificatesThatOpenNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		mine := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		other := r.server(t, mallo, r.gateway(t, "b", mallo.Account).ID, nil)
		c, secret := r.client(t, alice, mine.ID, "zhang.san")
		colleague, _ := r.client(t, alice, mine.ID, "li.si")
		namesake, _ := r.client(t, mallo, other.ID, "zhang.san")
		gone, _ := r.client(t, alice, mine.ID, "wang.wu")
		must(t, r.s.DeleteClient(ctx, alice, gone.ID))
		for name, der := range map[string][]byte{
			"none": nil, "of another server, same name": namesake.Certificate,
			"of a deleted client": gone.Certificate, "of the server's CA": mine.CA, "garbage": []byte("x"),
		} {
			if a, err := r.say(mine, source(1), "", der); err != nil || !closed(a) {
				t.Errorf("certificate %s: got %+v, %v, want an error and no field", name, a, err)
			}
		}
		a, err := r.say(mine, source(1), "", colleague.Certificate, "username", c.Name, "password", secret.Password)
		if err != nil || a.Outcome != gwlink.OutcomeForm || a.Form.ID != "main" || a.Form.Error == "" {
			t.Errorf("a colleague's certificate: got %+v, %v, want a failed login", a, err)
		}
		r.clock.Advance(1096 * 24 * time.Hour)
		if a, err := r.say(mine, source(1), "", c.Certificate); err != nil || !closed(a) {
			t.Errorf("an expired certificate: got %+v, %v", a, err)
		}
	})
}

func TestOnlyTheNodeThatRunsTheGatewayMayForwardItsLogins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		req := gwlink.LoginRequest{Gateway: g.ID, Server: srv.ID, SourceIP: r.node.Addresses[0]}
		if _, err := r.s.Login(ctx, "node_other", req); err == nil {
			t.Error("a foreign node's login was answered")
		}
		req.Gateway = "vpngw-other"
		if _, err := r.s.Login(ctx, r.node.ID, req); err == nil {
			t.Error("a login under another gateway was answered")
		}
	})
}

func TestTheGatewaysConnectionLimitHoldsForParallelLogins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account) // five connections
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		type person struct{ id, name, password string }
		var people []person
		for _, name := range []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"} {
			c, secret := r.client(t, alice, srv.ID, name)
			people = append(people, person{c.ID, c.Name, secret.Password})
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var grants []gwlink.LoginAnswer
		for i, p := range people {
			wg.Go(func() {
				a, err := r.say(srv, source(i), "", nil, "username", p.name, "password", p.password)
				if err == nil && a.Outcome == gwlink.OutcomeGranted {
					mu.Lock()
					grants = append(grants, a)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(grants) != 5 {
			t.Fatalf("got %d grants, want 5", len(grants))
		}
		in := map[string]bool{}
		for _, a := range grants {
			in[r.grantOf(t, a).Client] = true
		}
		for i, p := range people {
			a, err := r.say(srv, source(50+i), "", nil, "username", p.name, "password", p.password)
			must(t, err)
			want := gwlink.OutcomeUnavailable
			if in[p.id] {
				want = gwlink.OutcomeGranted // its older session yields its place
			}
			if a.Outcome != want {
				t.Errorf("%s once the gateway is full: got %s, want %s", p.name, a.Outcome, want)
			}
		}
	})
}

func TestDisabledExpiredAndFrozenAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		n := 0
		outcome := func() gwlink.Outcome {
			n++
			a, err := r.say(srv, source(n), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			return a.Outcome
		}
		set := func(change func(*vpn.ClientSettings)) {
			now, err := r.s.Client(ctx, alice.Account, c.ID)
			must(t, err)
			change(&now.ClientSettings)
			_, err = r.s.UpdateClient(ctx, alice, c.ID, now.Version, now.ClientSettings)
			must(t, err)
		}
		set(func(v *vpn.ClientSettings) { v.State = vpn.ClientDisabled })
		if got := outcome(); got != gwlink.OutcomeForm {
			t.Errorf("disabled: got %s", got)
		}
		set(func(v *vpn.ClientSettings) { v.State, v.ExpiresAt = vpn.ClientEnabled, start })
		if got := outcome(); got != gwlink.OutcomeForm {
			t.Errorf("expired: got %s", got)
		}
		set(func(v *vpn.ClientSettings) { v.ExpiresAt = time.Time{} })
		if got := outcome(); got != gwlink.OutcomeGranted {
			t.Errorf("enabled again: got %s", got)
		}
		_, err := r.fleet.Drain(ctx, alice, r.node.ID, true)
		must(t, err)
		if got := outcome(); got != gwlink.OutcomeUnavailable {
			t.Errorf("on a draining node: got %s", got)
		}
		if a, err := r.say(srv, source(1), "", nil); err != nil || a.Outcome != gwlink.OutcomeUnavailable || !strings.Contains(a.Reason, "no new logins") {
			t.Errorf("on a draining node the first form: got %+v, %v", a, err)
		}
		if d, err := r.fleet.Desired(ctx, r.node.ID); err != nil || len(d.Closures) != 0 || len(d.Gateways) != 1 {
			t.Errorf("a draining node is told %+v, %v: its sessions must go on", d, err)
		}
		_, err = r.fleet.Drain(ctx, alice, r.node.ID, false)
		must(t, err)
		if got := outcome(); got != gwlink.OutcomeGranted {
			t.Errorf("in service again: got %s", got)
		}
		must(t, r.s.Freeze(ctx, g.ID, true))
		if got := outcome(); got != gwlink.OutcomeUnavailable {
			t.Errorf("frozen: got %s", got)
		}
	})
}
