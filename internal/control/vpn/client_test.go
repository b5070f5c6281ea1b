package vpn_test

import (
	"archive/zip"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func unzip(t *testing.T, b vpn.Bundle) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b.ZIP), int64(len(b.ZIP)))
	must(t, err)
	all := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		must(t, err)
		all[f.Name], err = io.ReadAll(in)
		must(t, err)
	}
	return all
}

func TestTheBundleConnects(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.Port = 8443 })
		_, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: newCSR(t)})
		must(t, err)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		b, err := r.s.Bundle(ctx, alice, c.ID)
		must(t, err)
		files := unzip(t, b)
		if _, err := tls.X509KeyPair(files["client.pem"], files["key.pem"]); err != nil {
			t.Errorf("key and certificate do not belong together: %v", err)
		}
		if block, _ := pem.Decode(files["ca.pem"]); block == nil || !bytes.Equal(block.Bytes, srv.CA) {
			t.Error("ca.pem is not the server's CA")
		}
		readme := string(files["README.txt"])
		for _, part := range []string{
			"--certificate=client.pem", "--sslkey=key.pem", "--cafile=ca.pem", "--user=zhang.san", "pin-sha256:",
			"--resolve=" + srv.ID + ".vpn.test:203.0.113.5", "https://" + srv.ID + ".vpn.test:8443/",
		} {
			if !strings.Contains(readme, part) {
				t.Errorf("the instructions lack %s:\n%s", part, readme)
			}
		}
		if strings.Contains(readme, secret.Password) || len(files["client.p12"]) == 0 || !bytes.Contains(files["profile.xml"], []byte("<HostAddress>"+srv.ID+".vpn.test:8443<")) {
			t.Errorf("password in the instructions, or no PKCS #12, or profile %s", files["profile.xml"])
		}
		r.clock.Advance(vpn.DefaultSecretTTL)
		late, err := r.s.Bundle(ctx, alice, c.ID)
		must(t, err)
		if files := unzip(t, late); files["key.pem"] != nil || files["client.p12"] != nil || files["client.pem"] == nil {
			t.Errorf("after the time: got %d files, want none with the key", len(files))
		}
		if _, err := r.s.Secret(ctx, alice, c.ID); !errors.Is(err, vpn.ErrSecretExpired) {
			t.Errorf("the password after the time: got %v", err)
		}
	})
}

func TestAClientWithItsOwnKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "router-1", CSR: newCSR(t)})
		must(t, err)
		leaf, err := x509.ParseCertificate(c.Certificate)
		if err != nil || leaf.Subject.CommonName != "router-1" || !leaf.NotAfter.Equal(start.Add(1095*24*time.Hour)) {
			t.Errorf("got %v until %v, %v", leaf.Subject, leaf.NotAfter, err)
		}
		b, err := r.s.Bundle(ctx, alice, c.ID)
		if err != nil || unzip(t, b)["key.pem"] != nil {
			t.Errorf("a key that was never here is in the bundle (%v)", err)
		}
	})
}

func TestSecretsAreNotKeptPlain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		_, secret := r.client(t, alice, srv.ID, "zhang.san")
		type row struct {
			hash                string
			password, key, totp []byte
		}
		got, err := db.Get(ctx, r.db, nil, func(s db.Row) (v row, err error) { return v, s.Scan(&v.hash, &v.password, &v.key, &v.totp) },
			"SELECT password_hash, password_sealed, key_sealed, totp_sealed FROM vpn_client")
		must(t, err)
		if !strings.HasPrefix(got.hash, "$argon2id$") || len(secret.Password) != 16 || len(secret.TOTP) != 32 ||
			bytes.Contains(got.password, []byte(secret.Password)) || bytes.Contains(got.totp, []byte(secret.TOTP)) || bytes.Contains(got.key, []byte("PRIVATE")) {
			t.Errorf("hash %q, secrets of %d and %d characters", got.hash, len(secret.Password), len(secret.TOTP))
		}
	})
}

func TestADeletedClientLosesSessionsCertificateAndSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", c.Certificate, "username", c.Name, "password", secret.Password)
		must(t, err)
		grant := r.grantOf(t, a) // not yet reported by the node
		if err := r.s.DeleteServer(ctx, alice, srv.ID); !errors.Is(err, vpn.ErrInUse) {
			t.Errorf("a server with clients: got %v, want ErrInUse", err)
		}
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
		d, err := r.fleet.Desired(ctx, r.node.ID)
		must(t, err)
		wire := d.Gateways[0].SSLServers[0]
		if len(d.Closures) != 1 || d.Closures[0].Session != grant.Session || d.Closures[0].Reason != gwlink.ReasonRevoked ||
			!slices.Equal(wire.RevokedSerials, []string{c.Serial}) || len(wire.Clients) != 0 {
			t.Errorf("desired: closures %v, revoked %v, clients %v", d.Closures, wire.RevokedSerials, wire.Clients)
		}
		must(t, r.queue.Drain(ctx))
		if _, err := r.s.Client(ctx, alice.Account, c.ID); !errs.IsNotFound(err) {
			t.Errorf("got %v", err)
		}
		must(t, r.s.DeleteServer(ctx, alice, srv.ID))
	})
}

func TestDisconnectingEndsAllSessionsAtOnceAndALoginWorksAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		login := func() gwlink.Grant {
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			return r.grantOf(t, a)
		}
		g := login()
		r.opened(t, g, "10.9.0.2")
		before, err := r.fleet.Desired(ctx, r.node.ID)
		must(t, err)
		waited := make(chan []gwlink.Closure, 1)
		go func() {
			d, err := r.fleet.Wait(ctx, r.node.ID, before.Generation, 20*time.Second)
			if err != nil {
				t.Errorf("waiting: %v", err)
			}
			waited <- d.Closures
		}()
		begin := time.Now()
		must(t, r.s.Disconnect(ctx, alice, c.ID))
		closures := <-waited
		if took := time.Since(begin); len(closures) != 1 || closures[0].Session != g.Session || took > 2*time.Second {
			t.Errorf("got %v after %v", closures, took)
		}
		if again := login(); again.Session == g.Session {
			t.Error("a new login has the session that was ended")
		}
	})
}

func TestPasswordsAreReplacedAndEndSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		_, err := r.s.ResetPassword(ctx, alice, c.ID, forgotten)
		must(t, err)
		fresh, err := r.s.Secret(ctx, alice, c.ID)
		if err != nil || fresh.Password == secret.Password || fresh.TOTP != secret.TOTP {
			t.Fatalf("after a reset: %v, password the same: %v", err, fresh.Password == secret.Password)
		}
		for pw, want := range map[string]string{"short1A": "vpn.password_weak", "alllowercase": "vpn.password_weak", "Zhang.San-2026": "vpn.password_weak", "Correct-Horse-9": "internal"} {
			_, err := r.s.SetPassword(ctx, alice, c.ID, pw, forgotten)
			if got := errs.CodeOf(err); err != nil && got != want || err == nil && want != "internal" {
				t.Errorf("password %q: got %v, want %s", pw, err, want)
			}
		}
		chosen, err := r.s.Secret(ctx, alice, c.ID)
		if err != nil || chosen.Password != "" {
			t.Errorf("a chosen password can be read (%v)", err)
		}
		for pw, want := range map[string]gwlink.Outcome{secret.Password: gwlink.OutcomeForm, fresh.Password: gwlink.OutcomeForm, "Correct-Horse-9": gwlink.OutcomeGranted} {
			a, err := r.say(srv, source(len(pw)), "", nil, "username", c.Name, "password", pw)
			if err != nil || a.Outcome != want {
				t.Errorf("got %s, %v, want %s", a.Outcome, err, want)
			}
		}
	})
}

func TestFixedAddressesAndRates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		fixed := func(text string) vpn.ClientSettings { return vpn.ClientSettings{FixedIP: netip.MustParseAddr(text)} }
		n := 0
		create := func(c vpn.ClientSettings) error {
			n++
			_, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: fmt.Sprintf("client-%d", n), ClientSettings: c})
			return err
		}
		for text, want := range map[string]error{"10.9.0.0": vpn.ErrFixedIP, "10.9.0.1": vpn.ErrFixedIP, "10.9.0.255": vpn.ErrFixedIP, "10.8.0.5": vpn.ErrFixedIP, "10.9.0.5": nil} {
			if err := create(fixed(text)); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", text, err, want)
			}
		}
		if err := create(fixed("10.9.0.5")); !errors.Is(err, vpn.ErrFixedIPTaken) {
			t.Errorf("taken: got %v", err)
		}
		for _, c := range []struct {
			up, down int64
			want     error
		}{{63_999, 0, vpn.ErrRate}, {0, 100_000_001, vpn.ErrRate}, {64_000, 100_000_000, nil}} {
			if err := create(vpn.ClientSettings{UpRate: c.up, DownRate: c.down}); !errors.Is(err, c.want) {
				t.Errorf("%d/%d: got %v, want %v", c.up, c.down, err, c.want)
			}
		}
	})
}

func TestAnUpdateMadeFromAnOldVersionIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		next := srv.Settings
		next.Banner = "hello"
		updated, err := r.s.UpdateServer(ctx, alice, srv.ID, srv.Version, next)
		if err != nil || updated.Banner != "hello" || updated.Version == srv.Version {
			t.Fatalf("got %+v, %v", updated, err)
		}
		if _, err := r.s.UpdateServer(ctx, alice, srv.ID, srv.Version, next); !errors.Is(err, vpn.ErrStale) {
			t.Errorf("got %v, want ErrStale", err)
		}
	})
}

func TestAFrozenGatewayKeepsItsConfigurationAndADeletedOneNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		must(t, r.s.Freeze(ctx, g.ID, true))
		must(t, r.s.Freeze(ctx, g.ID, true))
		d := r.apply(t)
		if d.Gateways[0].State != gwlink.GatewayFrozen || len(d.Gateways[0].SSLServers) != 1 {
			t.Errorf("frozen: got %+v", d.Gateways[0])
		}
		must(t, r.s.Freeze(ctx, g.ID, false))
		r.apply(t)
		if got, err := r.s.Gateway(ctx, alice.Account, g.ID); err != nil || got.State != vpn.GatewayActive {
			t.Errorf("thawed: got %s, %v", got.State, err)
		}
		if err := r.s.Delete(ctx, g.ID, false); !errors.Is(err, vpn.ErrInUse) {
			t.Errorf("with a server in it: got %v, want ErrInUse", err)
		}
		must(t, r.s.Delete(ctx, g.ID, true))
		must(t, r.s.Delete(ctx, g.ID, true))
		if got, err := r.s.Gateway(ctx, alice.Account, g.ID); err != nil || got.State != vpn.GatewayDeleting {
			t.Errorf("before the node has removed it: got %s, %v", got.State, err)
		}
		if _, err := r.s.CreateServer(ctx, alice, vpn.NewServer{Gateway: g.ID, Settings: settings()}); !errors.Is(err, vpn.ErrState) {
			t.Errorf("a new server in it: got %v", err)
		}
		must(t, r.s.Freeze(ctx, r.gateway(t, "other", alice.Account).ID, true)) // a report of something else in between
		if d := r.apply(t); len(d.Gateways) != 1 {
			t.Errorf("deleted: desired still has %+v", d.Gateways)
		}
		if _, err := r.s.Gateway(ctx, alice.Account, g.ID); !errors.Is(err, vpn.ErrGatewayNotFound) {
			t.Errorf("removed by the node: got %v", err)
		}
		if _, err := r.s.Client(ctx, alice.Account, c.ID); !errs.IsNotFound(err) {
			t.Errorf("its client: got %v", err)
		}
		same := newGateway("b", alice.Account)
		same.Name = g.Name
		if _, err := r.s.Create(ctx, same); err != nil {
			t.Errorf("its name is free again: got %v", err)
		}
	})
}

func TestAFailureOfTheNodeIsShownAndPasses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g, err := r.s.Create(ctx, newGateway("a", alice.Account))
		must(t, err)
		d, err := r.fleet.Desired(ctx, r.node.ID)
		must(t, err)
		must(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{
			Node: r.node.ID, Generation: d.Generation,
			Gateways: []gwlink.ObservedState{{Gateway: g.ID, Generation: d.Generation, State: "failed", Problem: "no bridge"}},
		}))
		must(t, r.queue.Drain(ctx))
		if got, err := r.s.Gateway(ctx, alice.Account, g.ID); err != nil || got.State != vpn.GatewayError || got.Problem == "" {
			t.Errorf("got %+v, %v", got, err)
		}
		r.apply(t)
		if got, err := r.s.Gateway(ctx, alice.Account, g.ID); err != nil || got.State != vpn.GatewayActive || got.Problem != "" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestSessionsTrafficAndPulse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		grant := r.grantOf(t, a)
		r.opened(t, grant, "10.9.0.2")
		must(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Live: []gwlink.Counters{{Session: grant.Session, BytesIn: 10, BytesOut: 20, Transport: "dtls"}}}))
		sessions, _, err := r.s.Sessions(ctx, alice, vpn.SessionFilter{LiveOnly: true})
		if err != nil || len(sessions) != 1 || sessions[0].SourceIP.String() != "198.51.100.9" || sessions[0].Live.Transport != "dtls" || sessions[0].BytesOut != 20 {
			t.Errorf("got %+v, %v", sessions, err)
		}
		of, _, err := r.s.Sessions(ctx, alice, vpn.SessionFilter{Server: srv.ID})
		if err != nil || len(of) != 1 || of[0].Server != srv.ID || sessions[0].Server != srv.ID {
			t.Errorf("of the server: got %+v, %v", of, err)
		}
		online, err := r.s.Online(ctx, alice.Account, g.ID)
		if err != nil || online[c.ID] != 1 {
			t.Errorf("online: got %v, %v", online, err)
		}
		pulses, err := r.s.Pulses(ctx, alice.Account)
		if err != nil || len(pulses) != 1 || pulses[0].Totals != (fleet.Totals{Sessions: 1, BytesIn: 10, BytesOut: 20}) {
			t.Errorf("pulse: got %+v, %v", pulses, err)
		}
		must(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Closed: []gwlink.SessionClosed{{Session: grant.Session, At: r.clock.Now(), Reason: "user"}}}))
		must(t, r.queue.Drain(ctx))
		n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_grant")
		if err != nil || n != 0 {
			t.Errorf("%d grants are left after the session (%v)", n, err)
		}
	})
}
