package vpn_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// wary is a client whose devices need approval, at a server that asks for a
// password alone.
type wary struct {
	rig
	t      *testing.T
	server vpn.SSLServer
	client vpn.SSLClient
	secret vpn.Secret
}

func newWary(t *testing.T, r rig, change func(*vpn.NewServer)) wary {
	t.Helper()
	srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
		n.LoginMode, n.TwoFactor = vpn.LoginPassword, false
		if change != nil {
			change(n)
		}
	})
	c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", ClientSettings: vpn.ClientSettings{DeviceApproval: true}})
	must(t, err)
	if !c.DeviceApproval {
		t.Fatal("the setting was not kept")
	}
	secret, err := r.s.Secret(ctx, alice, c.ID)
	must(t, err)
	return wary{r, t, srv, c, secret}
}

// round says something from a device.
func (w wary) round(d gwlink.Device, conversation string, certificate []byte, fields ...string) (gwlink.LoginAnswer, error) {
	q := gwlink.LoginRequest{
		Gateway: w.server.Gateway, Server: w.server.ID, Conversation: conversation, SourceIP: netip.MustParseAddr(source(1)),
		PeerCertificate: certificate, Device: d, Fields: map[string]string{},
	}
	for i := 0; i+1 < len(fields); i += 2 {
		q.Fields[fields[i]] = fields[i+1]
	}
	return w.s.Login(ctx, w.node.ID, q)
}

// signsIn is a login by the right password from a device.
func (w wary) signsIn(d gwlink.Device) gwlink.LoginAnswer {
	w.t.Helper()
	a, err := w.round(d, "", nil, "username", w.client.Name, "password", w.secret.Password)
	must(w.t, err)
	return a
}

func (w wary) devices() []vpn.Device {
	w.t.Helper()
	all, err := w.s.Devices(ctx, alice, w.client.ID)
	must(w.t, err)
	return all
}

// told reports whether a login ended with a sentence that has this in it.
func told(a gwlink.LoginAnswer, text string) bool {
	return closed(a) && strings.Contains(a.Form.Error, text) && !a.Failed
}

func (w wary) closures() []string {
	w.t.Helper()
	var all []string
	for _, c := range w.apply(w.t).Closures {
		all = append(all, c.Session)
	}
	return all
}

func phone(id string) gwlink.Device {
	return gwlink.Device{ID: id, Platform: "android", Model: "Pixel 9"}
}

// TestADeviceWaitsUntilItIsApproved, is told so, is noted once, and comes in
// afterwards; refused it does not, and its sessions end, but not those of another
// device.
func TestADeviceWaitsUntilItIsApproved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, func(n *vpn.NewServer) { n.MaxSessionsPerClient = 3 })
		if a := w.signsIn(phone("one")); !told(a, "waits for your administrator") {
			t.Fatalf("an unknown device: got %+v", a)
		}
		r.clock.Advance(time.Hour)
		w.signsIn(phone("one"))
		all := w.devices()
		if len(all) != 1 {
			t.Fatalf("got %d devices, want one", len(all))
		}
		one := all[0]
		if one.State != vpn.DeviceWaiting || one.KnownBy != vpn.KnownByID || one.Label != "android Pixel 9" || !one.CreatedAt.Equal(start) || !one.SeenAt.Equal(start.Add(time.Hour)) {
			t.Errorf("got %+v", one)
		}
		if c, err := r.s.Client(ctx, alice.Account, w.client.ID); err != nil || c.Status.Waiting != 1 {
			t.Errorf("got %d that wait, %v", c.Status.Waiting, err)
		}
		must(t, r.s.ApproveDevice(ctx, alice, w.client.ID, one.ID))
		session := r.grantOf(t, w.signsIn(phone("one"))).Session
		w.signsIn(phone("two"))
		two := w.devices()[0] // who waits comes first
		must(t, r.s.ApproveDevice(ctx, alice, w.client.ID, two.ID))
		other := r.grantOf(t, w.signsIn(phone("two"))).Session

		must(t, r.s.RefuseDevice(ctx, alice, w.client.ID, one.ID))
		if got := w.closures(); !slices.Contains(got, session) || slices.Contains(got, other) {
			t.Errorf("a device was refused: %v end, want %s and not %s", got, session, other)
		}
		if a := w.signsIn(phone("one")); !told(a, "refuses this device") {
			t.Errorf("a refused device: got %+v", a)
		}
		must(t, r.s.RemoveDevice(ctx, alice, w.client.ID, two.ID))
		if got := w.closures(); !slices.Contains(got, other) {
			t.Errorf("a device was removed: %v end, want %s", got, other)
		}
		if a := w.signsIn(phone("two")); !told(a, "waits") {
			t.Errorf("a removed device: got %+v", a)
		}
		for kind, want := range map[string]int64{"vpn.device_waiting": 3, "vpn.device_approved": 2, "vpn.device_refused": 1, "vpn.device_removed": 1} {
			if n := r.events(t, kind); n != want {
				t.Errorf("%s is recorded %d times, want %d", kind, n, want)
			}
		}
	})
}

// TestApprovalIsAskedForFromNowOn: sessions of before go on, but end with a
// device that is refused, since nobody knows whose they are.
func TestApprovalIsAskedForFromNowOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, func(n *vpn.NewServer) { n.MaxSessionsPerClient = 3 })
		set := func(on bool) {
			t.Helper()
			c, err := r.s.Client(ctx, alice.Account, w.client.ID)
			must(t, err)
			c.ClientSettings.DeviceApproval = on
			_, err = r.s.UpdateClient(ctx, alice, c.ID, c.Version, c.ClientSettings)
			must(t, err)
		}
		set(false)
		session := r.grantOf(t, w.signsIn(phone("one"))).Session
		if n := len(w.devices()); n != 0 {
			t.Errorf("%d devices are noted of a client that needs no approval", n)
		}
		set(true)
		if got := w.closures(); len(got) != 0 {
			t.Errorf("approval was switched on: %v end", got)
		}
		w.signsIn(phone("one"))
		must(t, r.s.RefuseDevice(ctx, alice, w.client.ID, w.devices()[0].ID))
		if got := w.closures(); !slices.Contains(got, session) {
			t.Errorf("got %v end, want %s", got, session)
		}
	})
}

func TestADeviceIsNotedOnceHoweverManyLogins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, nil)
		var wg sync.WaitGroup
		var waits, others sync.Map
		for i := range 50 {
			wg.Go(func() {
				q := gwlink.LoginRequest{
					Gateway: w.server.Gateway, Server: w.server.ID, SourceIP: netip.MustParseAddr(source(i)), Device: phone("one"),
					Fields: map[string]string{"username": w.client.Name, "password": w.secret.Password},
				}
				if a, err := r.s.Login(ctx, r.node.ID, q); err == nil && told(a, "waits") {
					waits.Store(i, nil)
				} else {
					others.Store(i, fmt.Sprintf("%+v, %v", a, err))
				}
			})
		}
		wg.Wait()
		others.Range(func(i, what any) bool { t.Errorf("login %d: got %s", i, what); return true })
		if n := len(w.devices()); n != 1 {
			t.Errorf("%d devices are noted, want 1", n)
		}
		if n := r.events(t, "vpn.device_waiting"); n != 1 {
			t.Errorf("%d are recorded, want 1", n)
		}
	})
}

func TestTwentyDevicesAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, nil)
		for i := range 20 {
			if a := w.signsIn(phone(fmt.Sprintf("device %d", i))); !told(a, "waits") {
				t.Fatalf("device %d: got %+v", i, a)
			}
		}
		if a := w.signsIn(phone("one more")); !told(a, "Too many devices") {
			t.Errorf("got %+v", a)
		}
		all := w.devices()
		if len(all) != 20 {
			t.Errorf("%d are kept, want 20", len(all))
		}
		must(t, r.s.RemoveDevice(ctx, alice, w.client.ID, all[0].ID))
		if a := w.signsIn(phone("one more")); !told(a, "waits") {
			t.Errorf("after one was removed: got %+v", a)
		}
	})
}

// TestWhatADeviceIsKnownBy: the most telling of what there is, for this client
// only.
func TestWhatADeviceIsKnownBy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, nil)
		for _, c := range []struct {
			said        gwlink.Device
			certificate []byte
			want        vpn.KnownBy
			label       string
		}{
			{gwlink.Device{ID: "u-1", Platform: "apple-ios", Model: "iPhone"}, w.client.Certificate, vpn.KnownByID, "apple-ios iPhone"},
			{gwlink.Device{ID: strings.Repeat("A", 40), Platform: "android", Model: "android"}, w.client.Certificate, vpn.KnownByCertificate, "android android"},
			{gwlink.Device{ID: strings.Repeat("A", 40), Platform: "android"}, nil, vpn.KnownByPlatform, "android"},
			{gwlink.Device{Platform: "linux-64"}, nil, vpn.KnownByPlatform, "linux-64"},
			{gwlink.Device{}, nil, vpn.KnownByPlatform, ""},
		} {
			r.clock.Advance(time.Second)
			for range 2 {
				a, err := w.round(c.said, "", c.certificate, "username", w.client.Name, "password", w.secret.Password)
				if err != nil || !told(a, "waits") {
					t.Fatalf("%+v: got %+v, %v", c.said, a, err)
				}
			}
			all := w.devices()
			if got := all[len(all)-1]; got.KnownBy != c.want || got.Label != c.label {
				t.Errorf("%+v: got %s %q, want %s %q", c.said, got.KnownBy, got.Label, c.want, c.label)
			}
		}
		if n := len(w.devices()); n != 5 {
			t.Errorf("got %d devices, want 5", n)
		}
		if _, err := w.round(gwlink.Device{ID: strings.Repeat("x", 201)}, "", nil); err == nil {
			t.Error("what no node forwards was taken")
		}
		kept, err := db.Select(ctx, r.db, db.One[string], "SELECT digest FROM vpn_device")
		if err != nil || strings.Contains(strings.Join(kept, " "), "u-1") {
			t.Errorf("an id is kept in the clear, or %v", err)
		}
	})
}

// TestOnlyACompleteLoginNotesADevice: a wrong password or code notes nothing. A
// code that was right is spent also where the device waits, a recovery code is
// not.
func TestOnlyACompleteLoginNotesADevice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, func(n *vpn.NewServer) { n.TwoFactor = true })
		recovery, err := r.s.RecoveryCodes(ctx, alice, w.client.ID)
		must(t, err)
		enters := func(typed string) gwlink.LoginAnswer {
			t.Helper()
			a, err := w.round(phone("one"), w.signsIn(phone("one")).Conversation, nil, "secondary_password", typed)
			must(t, err)
			return a
		}
		if a, err := w.round(phone("one"), "", nil, "username", w.client.Name, "password", "wrong"); err != nil || !a.Failed {
			t.Errorf("a wrong password: got %+v, %v", a, err)
		}
		if a := enters("000000"); !a.Failed {
			t.Errorf("a wrong code: got %+v", a)
		}
		if n := len(w.devices()); n != 0 {
			t.Fatalf("%d devices are noted of logins that failed", n)
		}
		now := code(t, w.secret.TOTP, r.clock.Now())
		if a := enters(now); !told(a, "waits") {
			t.Fatalf("a complete login: got %+v", a)
		}
		if a := enters(now); !a.Failed {
			t.Errorf("the same code again: got %+v, want it refused", a)
		}
		if a := enters(recovery[0]); !told(a, "waits") {
			t.Errorf("a recovery code: got %+v", a)
		}
		must(t, r.s.ApproveDevice(ctx, alice, w.client.ID, w.devices()[0].ID))
		if a := enters(recovery[0]); a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("a recovery code that opened nothing before: got %+v", a)
		}
	})
}

func TestDevicesAreTheOwnersToApprove(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		w := newWary(t, r, nil)
		w.signsIn(phone("one"))
		device := w.devices()[0].ID
		colleague, _ := r.client(t, alice, w.server.ID, "li.si")
		foreign := r.server(t, mallo, r.gateway(t, "b", mallo.Account).ID, nil)
		hers, _ := r.client(t, mallo, foreign.ID, "eve")
		if _, err := r.s.Devices(ctx, mallo, w.client.ID); !errs.IsNotFound(err) {
			t.Errorf("a stranger's list: got %v", err)
		}
		type act func(context.Context, account.Principal, string, string) error
		for name, do := range map[string]act{"approve": r.s.ApproveDevice, "refuse": r.s.RefuseDevice, "remove": r.s.RemoveDevice} {
			for whose, err := range map[string]error{
				"a stranger, her client":    do(ctx, mallo, hers.ID, device),
				"a stranger, the client":    do(ctx, mallo, w.client.ID, device),
				"the owner, another client": do(ctx, alice, colleague.ID, device),
			} {
				if !errs.IsNotFound(err) {
					t.Errorf("%s by %s: got %v, want not found", name, whose, err)
				}
			}
		}
		if all := w.devices(); len(all) != 1 || all[0].State != vpn.DeviceWaiting {
			t.Errorf("got %+v", all)
		}
		must(t, r.s.DeleteClient(ctx, alice, w.client.ID))
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_device"); err != nil || n != 0 {
			t.Errorf("the client was deleted: %d of its devices are left, %v", n, err)
		}
	})
}
