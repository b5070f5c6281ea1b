package api_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// conditional sends a change under a condition.
func (r vpnRig) conditional(t *testing.T, method, path, match string, body any) *httptest.ResponseRecorder {
	t.Helper()
	raw, err := json.Marshal(body)
	check(t, err)
	req := httptest.NewRequest(method, api.Prefix+path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer alice")
	req.Header.Set("If-Match", match)
	w := httptest.NewRecorder()
	r.http.ServeHTTP(w, req)
	return w
}

func TestAChangeIsHeldToWhatItsSenderSaw(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}})
	sid := server["id"].(string)
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": sid, "name": "zhang.san"})
	certificate, key := pair(t)
	cert := r.want(t, 201, "alice", "POST", "/certificates", map[string]any{"name": "mine", "type": "server", "certificate_pem": certificate, "private_key_pem": key})
	for _, c := range []struct {
		path    string
		deletes bool // by this API
	}{{"/vpn-gateways/" + g, false}, {"/ssl-clients/" + client["id"].(string), true}, {"/ssl-servers/" + sid, true}, {"/certificates/" + cert["id"].(string), true}} {
		_, _, h := r.call(t, "alice", "GET", c.path, nil)
		seen := h.Get("ETag")
		body := map[string]any{"name": "other"}
		if c.path[1:12] == "ssl-clients" {
			body = map[string]any{"up_kbps": 512}
		}
		first := r.conditional(t, "PATCH", c.path, seen, body)
		if first.Code != 200 || first.Header().Get("ETag") == seen || seen == "" {
			t.Errorf("%s: got %d %s, tags %q then %q", c.path, first.Code, first.Body, seen, first.Header().Get("ETag"))
		}
		methods := []string{"PATCH"}
		if c.deletes {
			methods = append(methods, "DELETE")
		}
		for _, m := range methods {
			late := r.conditional(t, m, c.path, seen, body)
			if late.Code != 412 || !bytes.Contains(late.Body.Bytes(), []byte("api.precondition_failed")) {
				t.Errorf("%s %s by what was seen before: got %d %s", m, c.path, late.Code, late.Body)
			}
		}
		if c.deletes {
			if got := r.conditional(t, "DELETE", c.path, first.Header().Get("ETag"), nil); got.Code != 204 {
				t.Errorf("DELETE %s by what is: got %d %s", c.path, got.Code, got.Body)
			}
		}
	}
}

func TestAConditionIsNotIgnored(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	if got := r.conditional(t, "POST", "/ssl-servers", `"1"`, map[string]any{}); got.Code != 400 || !bytes.Contains(got.Body.Bytes(), []byte("api.no_conditions")) {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}
