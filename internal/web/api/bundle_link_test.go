package api_test

import (
	"strings"
	"testing"
)

func TestWhoHoldsALinkFetchesABundle(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}})
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server["id"], "name": "zhang.san"})
	path := "/ssl-clients/" + client["id"].(string) + "/bundle-link"
	r.want(t, 422, "alice", "POST", path, map[string]any{"hours": 73})
	made := r.want(t, 200, "alice", "POST", path, map[string]any{"hours": 72})
	_, token, _ := strings.Cut(made["url"].(string), "#token=")
	if got := r.want(t, 200, "alice", "GET", path, nil); got["until"] != made["until"] || got["url"] != nil {
		t.Errorf("got %v, want the link without its token", got)
	}
	status, out, header := r.call(t, "", "POST", "/bundle-downloads", map[string]any{"token": token})
	if status != 200 || header.Get("Content-Type") != "application/zip" || header.Get("Cache-Control") != "private, no-store" || len(out[""].([]byte)) == 0 {
		t.Fatalf("got %d %v", status, header)
	}
	r.want(t, 404, "", "POST", "/bundle-downloads", map[string]any{"token": token})
	if got := r.want(t, 200, "alice", "GET", path, nil); got["until"] != nil {
		t.Errorf("after it was used: got %v", got)
	}
	r.want(t, 200, "alice", "POST", path, nil)
	r.want(t, 204, "alice", "DELETE", path, nil)
}
