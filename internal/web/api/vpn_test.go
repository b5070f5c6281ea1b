package api_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// doors lets in who has a known token, with consent to everything.
type doors map[string]account.Principal

func (d doors) Authenticate(_ context.Context, token string) (account.Principal, error) {
	if p, ok := d[token]; ok {
		return p, nil
	}
	return account.Principal{}, errs.New(errs.Unauthenticated, "account.session_invalid")
}

func (d doors) Owner(_ context.Context, a account.ID) (id.Handle, error) {
	for _, p := range d {
		if p.Account == a {
			return p.Subject, nil
		}
	}
	return "", account.ErrNotFound
}

func (doors) Gate(context.Context, id.Handle, string) error { return nil }

var people = doors{
	"alice":   {Account: "acc_alice", Subject: "sub_alice"},
	"mallory": {Account: "acc_mallory", Subject: "sub_mallory"},
	"staff":   {Account: "acc_staff", Subject: "sub_staff", Staff: true, Permissions: []string{"fleet.read", "fleet.write"}},
}

type vpnRig struct {
	http  http.Handler
	api   *api.API
	vpn   *vpn.Service
	fleet *fleet.Service
	queue *job.Queue
	node  fleet.Node
}

func newVPNRig(t *testing.T) vpnRig {
	t.Helper()
	ctx, c, log := context.Background(), clock.System{}, slog.New(slog.DiscardHandler)
	d := dbtest.SQLite(t, job.Migrations(), audit.Migrations(), fleet.Migrations(), vpn.Migrations())
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	check(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: c, Log: log})
	check(t, err)
	r := vpnRig{queue: job.New(d, c, log)}
	a := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: log, Origin: "test.example/log"})
	v.Bind(a, people)
	r.fleet = fleet.New(fleet.Deps{DB: d, Clock: c, Queue: r.queue, Log: log, Audit: a, Vault: v})
	r.vpn = vpn.New(vpn.Deps{
		DB: d, Clock: c, Queue: r.queue, Log: log, Audit: a, Fleet: r.fleet, Vault: v, System: v, Password: password.NewHasherAt(1, 64),
		Config: vpn.Config{BaseDomain: "vpn.test", SecretTTL: time.Hour, Networks: []vpn.Network{{ID: "vpc-demo", Name: "demo", Region: "hk-1", Prefixes: []netip.Prefix{netip.MustParsePrefix("fd00:77::/64")}}}},
	})
	r.node, err = r.fleet.EnsureNode(ctx, fleet.NodeSpec{Name: "one", Region: "hk-1", Location: "HK", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}})
	check(t, err)
	mux := http.NewServeMux()
	r.api = api.New(api.Options{Mux: mux, Version: "test", Sessions: people, Gate: people, Log: log})
	api.VPNGateways(r.api, r.vpn, c.Now)
	api.SSLServers(r.api, r.vpn)
	api.SSLClients(r.api, r.vpn)
	api.Certificates(r.api, r.vpn, c.Now)
	api.VPNSessions(r.api, r.vpn)
	api.GatewayNodes(r.api, r.fleet, c.Now)
	api.Quotas(r.api, r.vpn)
	api.StaffQuotas(r.api, r.vpn, people)
	r.http = mux
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r vpnRig) gateway(t *testing.T, owner account.ID) string {
	t.Helper()
	g, err := r.vpn.Create(context.Background(), vpn.NewGateway{
		Key: "k-" + string(owner), Account: owner, Subject: "sub_x", Name: "office", Region: "hk-1",
		Network: "vpc-demo", Limits: vpn.Limits{SSLBandwidth: 100, SSLConnections: 5},
	})
	check(t, err)
	return g.ID
}

// call sends a request as a person and decodes a JSON answer.
func (r vpnRig) call(t *testing.T, who, method, path string, body any) (int, map[string]any, http.Header) {
	t.Helper()
	var in io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		check(t, err)
		in = bytes.NewReader(raw)
	}
	req := httptest.NewRequest(method, api.Prefix+path, in)
	req.Header.Set("Content-Type", "application/json")
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	w := httptest.NewRecorder()
	r.http.ServeHTTP(w, req)
	out := map[string]any{"": w.Body.Bytes()}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		check(t, json.Unmarshal(w.Body.Bytes(), &out))
	}
	return w.Code, out, w.Header()
}

// want calls and holds the answer to a status.
func (r vpnRig) want(t *testing.T, status int, who, method, path string, body any) map[string]any {
	t.Helper()
	got, out, _ := r.call(t, who, method, path, body)
	if got != status {
		t.Fatalf("%s %s: got %d %v, want %d", method, path, got, out, status)
	}
	return out
}

func count(t *testing.T, out map[string]any) int {
	t.Helper()
	items, ok := out["items"].([]any)
	if !ok {
		t.Fatalf("no list of items in %v", out)
	}
	return len(items)
}

func TestAnSSLServerAndItsClientOverHTTP(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	if got := r.want(t, 200, "alice", "GET", "/vpn-gateways/"+g, nil); got["name"] != "office" || got["ssl_connections"] != 5.0 || got["state"] != "creating" {
		t.Errorf("gateway: %v", got)
	}
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}})
	sid := server["id"].(string)
	if server["port"] != 443.0 || server["udp"] != true || server["two_factor"] != true || server["login_mode"] != "password_certificate" || server["mtu"] != 1400.0 ||
		server["tunnel_mode"] != "split" || !strings.HasPrefix(server["ca_pem"].(string), "-----BEGIN CERTIFICATE") {
		t.Errorf("defaults: %v", server)
	}
	changed := r.want(t, 200, "alice", "PATCH", "/ssl-servers/"+sid, map[string]any{"banner": "hello", "version": server["version"]})
	if changed["banner"] != "hello" || changed["pool"] != "10.9.0.0/24" {
		t.Errorf("changed: %v", changed)
	}
	r.want(t, 409, "alice", "PATCH", "/ssl-servers/"+sid, map[string]any{"banner": "late", "version": server["version"]})
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": sid, "name": "zhang.san", "down_kbps": 2000, "fixed_ip": "10.9.0.9"})
	cid := client["id"].(string)
	// What tells the node's reports is taken back in and changes nothing.
	lamp := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": sid, "name": "lamp", "online": true})
	for query, want := range map[string]int{"online=true": 0, "online=false": 2, "state=enabled": 2, "state=locked": 0, "state=enabled&limit=1": 1} {
		if got := count(t, r.want(t, 200, "alice", "GET", "/ssl-clients?"+query, nil)); got != want {
			t.Errorf("clients by %s: got %d, want %d", query, got, want)
		}
	}
	r.want(t, 422, "alice", "GET", "/ssl-clients?online=perhaps", nil)
	r.want(t, 204, "alice", "DELETE", "/ssl-clients/"+lamp["id"].(string), nil)
	if lamp["online"] != false {
		t.Errorf("a client that never signed in: %v", lamp)
	}
	if client["down_kbps"] != 2000.0 || client["fixed_ip"] != "10.9.0.9" || client["two_factor"] != true || client["password"] != nil {
		t.Errorf("client: %v", client)
	}
	patched := r.want(t, 200, "alice", "PATCH", "/ssl-clients/"+cid, map[string]any{"fixed_ip": "", "up_kbps": 128})
	if patched["fixed_ip"] != "" || patched["up_kbps"] != 128.0 || patched["down_kbps"] != 2000.0 {
		t.Errorf("patched: %v", patched)
	}
	status, secret, header := r.call(t, "alice", "POST", "/ssl-clients/"+cid+"/secret", nil)
	if status != 200 || len(secret["password"].(string)) != 16 || !strings.HasPrefix(secret["totp_uri"].(string), "otpauth://totp/") || header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("secret: %d, %d characters, cache %q", status, len(fmt.Sprint(secret["password"])), header.Get("Cache-Control"))
	}
	r.want(t, 200, "alice", "POST", "/ssl-clients/"+cid+"/reset-password", map[string]any{"reason": "forgotten"})
	r.want(t, 422, "alice", "POST", "/ssl-clients/"+cid+"/reset-password", map[string]any{"password": "weak", "reason": "forgotten"})
	status, codes, header := r.call(t, "alice", "POST", "/ssl-clients/"+cid+"/recovery-codes", nil)
	if status != 200 || len(codes["recovery_codes"].([]any)) != 10 || header.Get("Cache-Control") != "private, no-store" ||
		r.want(t, 200, "alice", "GET", "/ssl-clients/"+cid, nil)["recovery_left"] != 10.0 {
		t.Errorf("recovery codes: %d, cache %q", status, header.Get("Cache-Control"))
	}
	link := r.want(t, 200, "alice", "POST", "/ssl-clients/"+cid+"/token-invitation", nil)["url"].(string)
	_, token, _ := strings.Cut(link, "#token=")
	if got := r.want(t, 200, "", "POST", "/token-enrolments", map[string]any{"token": token}); got["user_name"] != "zhang.san" || got["server"] != "office" {
		t.Errorf("a link that nobody opens: %v", got)
	}
	r.want(t, 422, "", "POST", "/token-enrolments/confirm", map[string]any{"token": token, "code": "abcdef"})
	r.want(t, 404, "", "POST", "/token-enrolments", map[string]any{"token": "x"})
	if got := r.want(t, 200, "alice", "POST", "/ssl-clients/"+cid+"/reset-totp", map[string]any{"reason": "device_lost"}); got["recovery_left"] != 0.0 {
		t.Errorf("after a reset: %v codes are left", got["recovery_left"])
	}
	r.want(t, 204, "alice", "POST", "/ssl-clients/"+cid+"/disconnect", nil)
	r.want(t, 409, "alice", "DELETE", "/ssl-servers/"+sid, nil)
	r.want(t, 204, "alice", "DELETE", "/ssl-clients/"+cid, nil)
	r.want(t, 204, "alice", "DELETE", "/ssl-servers/"+sid, nil)
	r.want(t, 404, "alice", "GET", "/ssl-servers/"+sid, nil)
}

func TestIPv6AndNetworksOverHTTP(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{
		"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"},
	})
	if server["pool6"] != "" || server["client_bypass"] != false || len(server["default_domains"].([]any)) != 0 {
		t.Errorf("defaults: %v", server)
	}
	path := "/ssl-servers/" + server["id"].(string)
	changed := r.want(t, 200, "alice", "PATCH", path, map[string]any{"pool6": "fd00:9::/64", "client_bypass": true, "default_domains": []string{"corp.example"}})
	if changed["pool6"] != "fd00:9::/64" || changed["client_bypass"] != true || changed["default_domains"].([]any)[0] != "corp.example" {
		t.Errorf("changed: %v", changed)
	}
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{
		"server": server["id"], "name": "router", "fixed_ip6": "fd00:9::7", "routes": []string{"192.168.5.0/24", "fd00:5::/64"},
	})
	if routes := client["routes"].([]any); client["fixed_ip6"] != "fd00:9::7" || len(routes) != 2 || routes[1] != "fd00:5::/64" {
		t.Errorf("client: %v", client)
	}
	patched := r.want(t, 200, "alice", "PATCH", "/ssl-clients/"+client["id"].(string), map[string]any{"fixed_ip6": "", "routes": []string{}})
	if patched["fixed_ip6"] != "" || len(patched["routes"].([]any)) != 0 {
		t.Errorf("patched: %v", patched)
	}
	for code, body := range map[string]map[string]any{"vpn.pool6_invalid": {"pool6": "six"}, "vpn.pool_conflict": {"pool6": "fd00:77::/64"}} {
		if status, out, _ := r.call(t, "alice", "PATCH", path, body); status != 422 || out["code"] != code {
			t.Errorf("got %d %v, want %s", status, out["code"], code)
		}
	}
	if off := r.want(t, 200, "alice", "PATCH", path, map[string]any{"pool6": ""}); off["pool6"] != "" {
		t.Errorf("off: %v", off["pool6"])
	}
}

func TestSettingsOfTheWireOverHTTP(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{
		"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"},
	})
	path := "/ssl-servers/" + server["id"].(string)
	for name, c := range map[string]struct{ before, next any }{
		"tls_max": {"1.3", "1.2"}, "deny_roaming": {false, true}, "keep_seed": {false, true}, "large_segments": {false, true}, "udp": {true, false}, "mobile_idle_timeout": {3600.0, 0.0}, "rekey_time": {172800.0, 86400.0},
	} {
		if got := server[name]; got != c.before {
			t.Errorf("default of %s: got %v, want %v", name, got, c.before)
		}
		if got := r.want(t, 200, "alice", "PATCH", path, map[string]any{name: c.next})[name]; got != c.next {
			t.Errorf("%s: got %v, want %v", name, got, c.next)
		}
	}
	inside := "corp.example.org@10.1.0.1:443@pin-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	if got := r.want(t, 200, "alice", "PATCH", path, map[string]any{"client_trusted_networks": []string{inside}})["client_trusted_networks"]; fmt.Sprint(got) != fmt.Sprint([]any{inside}) {
		t.Errorf("client_trusted_networks: got %v", got)
	}
	r.want(t, 422, "alice", "PATCH", path, map[string]any{"client_trusted_networks": []string{"corp.example.org"}})
	for name, wrong := range map[string]any{"tls_max": "1.1", "rekey_time": 3600, "tls_min": "1.3"} { // tls_max is 1.2 now
		r.want(t, 422, "alice", "PATCH", path, map[string]any{name: wrong})
	}
}

func TestTheBundleIsAZIPFile(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}})
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server["id"], "name": "张三"})
	status, out, header := r.call(t, "alice", "GET", "/ssl-clients/"+client["id"].(string)+"/bundle", nil)
	if status != 200 || header.Get("Content-Type") != "application/zip" || header.Get("Cache-Control") != "private, no-store" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment;") {
		t.Fatalf("got %d %v", status, header)
	}
	raw := out[""].([]byte)
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	check(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if want := []string{"ca.pem", "client.pem", "key.pem", "client.p12", "profile.xml", "README.txt", "profile.skyconnect"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestForeignResourcesAre404OnEveryRoute(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	settings := map[string]any{"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}}
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", settings)["id"].(string)
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server, "name": "zhang.san"})["id"].(string)
	ids := map[string]string{"/vpn-gateways": g, "/ssl-servers": server, "/ssl-clients": client, "/vpn-sessions": id.New("ses")}
	ids["/certificates"] = r.want(t, 200, "alice", "GET", "/certificates?client="+client, nil)["items"].([]any)[0].(map[string]any)["id"].(string)
	bodies := map[string]any{
		"PATCH /vpn-gateways/{id}": map[string]any{"name": "mine"}, "PATCH /ssl-servers/{id}": map[string]any{"banner": "x"},
		"PATCH /ssl-clients/{id}": map[string]any{"state": "disabled"}, "POST /ssl-clients/{id}/reset-password": map[string]any{"reason": "forgotten"}, "POST /ssl-clients/{id}/reset-totp": map[string]any{"reason": "device_lost"},
		"POST /ssl-clients/{id}/reissue-certificate": map[string]any{}, "PATCH /certificates/{id}": map[string]any{"name": "mine"},
		"POST /ssl-servers/{id}/blocked-certificates": map[string]any{"client_ca": "cert-x", "serial": "5"},
	}
	tried := 0
	for path, item := range r.api.Paths() {
		path = strings.TrimPrefix(path, api.Prefix)
		if !strings.Contains(path, "{id}") || strings.HasPrefix(path, "/admin/") {
			continue
		}
		first, _, _ := strings.Cut(path, "/{id}")
		for method, there := range map[string]bool{"GET": item.Get != nil, "POST": item.Post != nil, "PATCH": item.Patch != nil, "DELETE": item.Delete != nil} {
			if !there {
				continue
			}
			tried++
			full := strings.Replace(path, "{id}", ids[first], 1)
			if got, out, _ := r.call(t, "mallory", method, full, bodies[method+" "+path]); got != 404 {
				t.Errorf("%s %s by another account: got %d %v, want 404", method, path, got, out["code"])
			}
			if method == "GET" {
				r.want(t, 200, "alice", method, full, nil)
			}
			if got, _, _ := r.call(t, "", method, full, bodies[method+" "+path]); got != 401 {
				t.Errorf("%s %s by nobody: got %d, want 401", method, path, got)
			}
		}
	}
	if tried < 15 {
		t.Errorf("only %d routes with an id were tried", tried)
	}
	settings["name"] = "mine"
	r.want(t, 404, "mallory", "POST", "/ssl-servers", settings)
	r.want(t, 404, "mallory", "POST", "/ssl-clients", map[string]any{"server": server, "name": "mine"})
	r.want(t, 404, "mallory", "GET", "/vpn-sessions?gateway="+g, nil)
	for _, list := range []string{"/vpn-gateways", "/ssl-servers", "/ssl-clients", "/vpn-sessions", "/certificates"} {
		if n := count(t, r.want(t, 200, "mallory", "GET", list, nil)); n != 0 {
			t.Errorf("%s: %d things of another account", list, n)
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	for name, body := range map[string]map[string]any{
		"vpn.pool_invalid":          {"gateway": g, "name": "office", "pool": "ten", "local_subnets": []string{"172.20.0.0/16"}},
		"vpn.local_subnets_invalid": {"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"x"}},
		"vpn.dns_invalid":           {"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}, "dns": []string{"x"}},
		"api.invalid_request":       {"gateway": g, "name": "office", "cipher": "des"},
	} {
		status, out, _ := r.call(t, "alice", "POST", "/ssl-servers", body)
		if out["code"] != name || status/100 != 4 {
			t.Errorf("got %d %v, want %s", status, out["code"], name)
		}
	}
}

func TestSessionsTrafficNetworksAndNodes(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	ctx, session := context.Background(), id.New("ses")
	now := time.Now().UTC()
	check(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Version: "v9", Opened: []gwlink.SessionOpened{{
		Session: session, Gateway: g, Client: "sslcli-x",
		SourceIP: netip.MustParseAddr("198.51.100.9"), Inner: netip.MustParseAddr("10.9.0.2"), Inner6: netip.MustParseAddr("fd00:9::2"), At: now,
	}}}))
	check(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Version: "v9", Live: []gwlink.Counters{{Session: session, BytesIn: 7, BytesOut: 9, PacketsIn: 3, PacketsOut: 4, Transport: "dtls", Client: "Open AnyConnect"}}}))
	live := r.want(t, 200, "alice", "GET", "/vpn-sessions?live=true&gateway="+g, nil)
	if count(t, live) != 1 {
		t.Fatalf("got %v", live)
	}
	one := live["items"].([]any)[0].(map[string]any)
	if one["source_ip"] != "198.51.100.9" || one["inner_ip"] != "10.9.0.2" || one["inner_ip6"] != "fd00:9::2" || one["transport"] != "dtls" || one["bytes_out"] != 9.0 ||
		one["packets_in"] != 3.0 || one["packets_out"] != 4.0 || one["client_version"] != "Open AnyConnect" {
		t.Errorf("got %v", one)
	}
	if n := count(t, r.want(t, 200, "alice", "GET", "/vpn-gateways/"+g+"/traffic?hours=1", nil)); n == 0 {
		t.Error("no traffic")
	}
	if n := count(t, r.want(t, 200, "alice", "GET", "/networks?region=hk-1", nil)); n != 1 {
		t.Errorf("got %d networks", n)
	}
	r.want(t, 403, "alice", "GET", "/admin/gateway-nodes", nil)
	drain := map[string]any{"draining": true}
	r.want(t, 403, "alice", "PATCH", "/admin/gateway-nodes/"+r.node.ID, drain)
	r.want(t, 401, "", "PATCH", "/admin/gateway-nodes/"+r.node.ID, drain)
	r.want(t, 404, "staff", "PATCH", "/admin/gateway-nodes/node_none", drain)
	if got := r.want(t, 200, "staff", "PATCH", "/admin/gateway-nodes/"+r.node.ID, drain); got["draining"] != true {
		t.Errorf("draining: got %v", got)
	}
	r.want(t, 200, "staff", "PATCH", "/admin/gateway-nodes/"+r.node.ID, map[string]any{"draining": false})
	nodes := r.want(t, 200, "staff", "GET", "/admin/gateway-nodes", nil)
	if count(t, nodes) != 1 || nodes["items"].([]any)[0].(map[string]any)["version"] != "v9" {
		t.Errorf("got %v", nodes)
	}
	check(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Gateways: []gwlink.ObservedState{{Gateway: g, Generation: 1, State: "failed", Problem: "no bridge"}}}))
	problems := r.want(t, 200, "staff", "GET", "/admin/gateway-nodes", nil)["items"].([]any)[0].(map[string]any)["problems"].([]any)
	if len(problems) != 1 || problems[0].(map[string]any)["problem"] != "no bridge" {
		t.Errorf("got problems %v", problems)
	}
	r.want(t, 204, "alice", "DELETE", "/vpn-sessions/"+session, nil)
	if d, err := r.fleet.Desired(ctx, r.node.ID); err != nil || len(d.Closures) != 1 || d.Closures[0].Session != session {
		t.Errorf("got closures %v, %v", d.Closures, err)
	}
}

func TestAnAccountsEventStreamsAreCounted(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	srv := httptest.NewServer(r.http)
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ask := func(who string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+api.Prefix+"/events", nil)
		check(t, err)
		req.Header.Set("Authorization", "Bearer "+who)
		resp, err := srv.Client().Do(req)
		check(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	var opened []*http.Response
	for resp := ask("alice"); resp.StatusCode == http.StatusOK && len(opened) < 100; resp = ask("alice") {
		opened = append(opened, resp)
	}
	if got := ask("alice"); len(opened) != 32 || got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %d streams, then %s, want 32 and 429", len(opened), got.Status)
	}
	if got := ask("mallory").StatusCode; got != http.StatusOK {
		t.Errorf("another account: got %d", got)
	}
	check(t, opened[0].Body.Close())
	deadline := time.After(20 * time.Second) // the server notices at its next word
	for ask("alice").StatusCode != http.StatusOK {
		select {
		case <-deadline:
			t.Fatal("a closed stream is still counted")
		default:
		}
	}
}

func TestTheEventStreamTellsChangesOfOnesOwnGateways(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	r.gateway(t, "acc_mallory")
	g := r.gateway(t, "acc_alice")
	srv := httptest.NewServer(r.http)
	t.Cleanup(srv.Close)
	if resp, err := http.Get(srv.URL + api.Prefix + "/events"); err != nil || resp.StatusCode != 401 {
		t.Errorf("nobody: got %v, %v", resp, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+api.Prefix+"/events", nil)
	check(t, err)
	req.Header.Set("Authorization", "Bearer alice")
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() api.GatewayEvent {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e api.GatewayEvent
				check(t, json.Unmarshal([]byte(data), &e))
				return e
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return api.GatewayEvent{}
	}
	if e := next(); e.Gateway != g || e.State != "creating" {
		t.Errorf("first: got %+v", e)
	}
	check(t, r.vpn.Freeze(ctx, g, true))
	if e := next(); e.Gateway != g || e.State != "frozen" {
		t.Errorf("after the change: got %+v", e)
	}
	check(t, r.vpn.Delete(ctx, g, true))
	if e := next(); e.Gateway != g || e.State != "deleting" {
		t.Errorf("after the deletion: got %+v", e)
	}
	d, err := r.fleet.Desired(ctx, r.node.ID)
	check(t, err)
	check(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Generation: d.Generation}))
	check(t, r.queue.Drain(ctx))
	if e := next(); e.Gateway != g || e.State != "deleted" {
		t.Errorf("at the end: got %+v", e)
	}
}

// TestDevicesThatNeedApprovalOverHTTP from the setting to the removal.
func TestDevicesThatNeedApprovalOverHTTP(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	d, err := r.fleet.Desired(context.Background(), r.node.ID)
	check(t, err)
	check(t, r.fleet.Ingest(context.Background(), r.node.ID, gwlink.Report{
		Node: r.node.ID, Generation: d.Generation,
		Gateways: []gwlink.ObservedState{{Gateway: g, Generation: d.Generation, State: "applied"}},
	}))
	check(t, r.queue.Drain(context.Background()))
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{
		"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}, "login_mode": "password", "two_factor": false,
	})["id"].(string)
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server, "name": "zhang.san"})
	path := "/ssl-clients/" + client["id"].(string)
	if client["device_approval"] != false || client["devices_waiting"] != 0.0 {
		t.Errorf("defaults: %v", client)
	}
	if got := r.want(t, 200, "alice", "PATCH", path, map[string]any{"device_approval": true}); got["device_approval"] != true {
		t.Errorf("changed: %v", got)
	}
	if got := r.want(t, 200, "alice", "PATCH", path, map[string]any{"up_kbps": 128}); got["device_approval"] != true {
		t.Errorf("something else changed: %v", got)
	}
	made := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server, "name": "li.si", "device_approval": true})
	if made["device_approval"] != true {
		t.Errorf("created: %v", made)
	}
	secret := r.want(t, 200, "alice", "POST", path+"/secret", nil)["password"].(string)
	signsIn := func() gwlink.LoginAnswer {
		t.Helper()
		a, err := r.vpn.Login(context.Background(), r.node.ID, gwlink.LoginRequest{
			Gateway: g, Server: server, SourceIP: netip.MustParseAddr("198.51.100.7"), Device: gwlink.Device{ID: "u-1", Platform: "android", Model: "Pixel"},
			Fields: map[string]string{"username": "zhang.san", "password": secret},
		})
		check(t, err)
		return a
	}
	if a := signsIn(); a.Outcome == gwlink.OutcomeGranted {
		t.Fatal("a device came in that nobody has approved")
	}
	if got := r.want(t, 200, "alice", "GET", "/ssl-clients", nil)["items"].([]any); !slices.ContainsFunc(got, func(c any) bool { return c.(map[string]any)["devices_waiting"] == 1.0 }) {
		t.Errorf("the list tells of none that waits: %v", got)
	}
	status, all, header := r.call(t, "alice", "GET", path+"/devices", nil)
	if status != 200 || header.Get("Cache-Control") != "private, no-store" || count(t, all) != 1 {
		t.Fatalf("devices: got %d %v", status, all)
	}
	one := all["items"].([]any)[0].(map[string]any)
	if one["state"] != "waiting" || one["known_by"] != "id" || one["label"] != "android Pixel" || one["seen_at"] != one["created_at"] {
		t.Errorf("got %v", one)
	}
	device := path + "/devices/" + one["id"].(string)
	foreign := "/ssl-clients/" + made["id"].(string) + "/devices/" + one["id"].(string)
	for method, end := range map[string]string{"POST": "/approve", "DELETE": ""} {
		r.want(t, 404, "mallory", method, device+end, nil)
		if _, out, _ := r.call(t, "alice", method, foreign+end, nil); out["code"] != "vpn.device_not_found" {
			t.Errorf("%s of another client's device: got %v", method, out["code"])
		}
	}
	r.want(t, 204, "alice", "POST", device+"/approve", nil)
	if a := signsIn(); a.Outcome != gwlink.OutcomeGranted {
		t.Errorf("an approved device: got %+v", a)
	}
	r.want(t, 204, "alice", "POST", device+"/refuse", nil)
	if a := signsIn(); a.Outcome == gwlink.OutcomeGranted {
		t.Error("a refused device came in")
	}
	r.want(t, 204, "alice", "DELETE", device, nil)
	if n := count(t, r.want(t, 200, "alice", "GET", path+"/devices", nil)); n != 0 {
		t.Errorf("%d devices are left", n)
	}
}
