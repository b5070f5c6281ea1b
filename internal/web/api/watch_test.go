package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// heard is an event of a kind other than vpn_gateway.
type heard struct {
	name string
	api.ResourceEvent
}

// listen opens an event stream of a person; the function waits for the next
// event of a kind.
func (r vpnRig) listen(t *testing.T, who string) func(kind string) heard {
	t.Helper()
	srv := httptest.NewServer(r.http)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(func() { cancel(); srv.Close() })
	req := httptest.NewRequestWithContext(ctx, "GET", srv.URL+api.Prefix+"/events", nil)
	req.RequestURI = ""
	req.Header.Set("Authorization", "Bearer "+who)
	resp, err := srv.Client().Do(req)
	check(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	return func(kind string) heard {
		t.Helper()
		name := ""
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = n
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && name == kind {
				e := heard{name: name}
				check(t, json.Unmarshal([]byte(data), &e.ResourceEvent))
				return e
			}
		}
		t.Fatalf("no event of %s: %v", kind, lines.Err())
		return heard{}
	}
}

func TestTheEventStreamTellsWhatElseChanged(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	g := r.gateway(t, "acc_alice")
	first, second := r.listen(t, "alice"), r.listen(t, "alice")
	first("vpn_gateway") // both have looked once then
	second("vpn_gateway")
	r.want(t, 200, "alice", "PATCH", "/vpn-gateways/"+g, map[string]any{"name": "mine"})
	first("vpn_gateway")
	second("vpn_gateway")
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{"gateway": g, "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}})["id"].(string)
	for _, next := range []func(string) heard{first, second} {
		if e := next("ssl_server"); e.ID != server || e.Version != 1 {
			t.Errorf("got %+v, want the new server", e)
		}
	}
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server, "name": "zhang.san"})["id"].(string)
	if e := first("ssl_client"); e.ID != client || e.Version != 1 {
		t.Errorf("got %+v, want the new client", e)
	}
	if e := first("certificate"); e.Version != 1 {
		t.Errorf("got %+v, want its certificate", e)
	}
	session := id.New("ses")
	check(t, r.fleet.Ingest(context.Background(), r.node.ID, gwlink.Report{Node: r.node.ID, Opened: []gwlink.SessionOpened{{
		Session: session, Gateway: g, Client: client, SourceIP: netip.MustParseAddr("203.0.113.9"), Inner: netip.MustParseAddr("10.9.0.10"), At: time.Now(),
	}}}))
	if e := first("vpn_session"); e.ID != session || e.Version != 1 {
		t.Errorf("got %+v, want the session", e)
	}
	r.want(t, 204, "alice", "DELETE", "/ssl-clients/"+client, nil)
	if e := first("ssl_client"); e.ID != client || e.Version != 0 {
		t.Errorf("got %+v, want the client gone", e)
	}
}

// TestStreamsOfAnAccountLookOnce: however many streams look at a time, each
// kind is read once, and its versions only when its mark is another.
func TestStreamsOfAnAccountLookOnce(t *testing.T) {
	t.Parallel()
	api.CheckSharedSight(t)
}
