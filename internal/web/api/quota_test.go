package api_test

import "testing"

// TestACustomerAsksForMoreAndStaffDecide, and nobody decides for themselves.
func TestACustomerAsksForMoreAndStaffDecide(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	row := func() map[string]any {
		t.Helper()
		for _, q := range r.want(t, 200, "alice", "GET", "/quotas", nil)["items"].([]any) {
			if q := q.(map[string]any); q["name"] == "ssl_gateways" {
				return q
			}
		}
		t.Fatal("no row of gateways with SSL")
		return nil
	}
	ask := map[string]any{"name": "ssl_gateways", "limit": 40}
	r.want(t, 401, "", "POST", "/quota-requests", ask)
	r.want(t, 422, "alice", "POST", "/quota-requests", map[string]any{"name": "ssl_servers", "limit": 2})
	r.want(t, 202, "alice", "POST", "/quota-requests", ask)
	if q := row(); q["asked"] != 40.0 || q["limit"] != 30.0 || q["settable"] != true {
		t.Errorf("got %v", q)
	}
	r.want(t, 403, "alice", "GET", "/admin/quota-requests", nil)
	if open := r.want(t, 200, "staff", "GET", "/admin/quota-requests", nil); count(t, open) != 1 {
		t.Errorf("got %v", open)
	}
	decide := map[string]any{"account": "acc_alice", "name": "ssl_gateways", "limit": 35, "reason": "case 7"}
	r.want(t, 403, "alice", "POST", "/admin/quotas", decide)
	r.want(t, 404, "staff", "POST", "/admin/quotas", map[string]any{"account": "acc_none", "name": "ssl_gateways", "limit": 35, "reason": "case 7"})
	r.want(t, 422, "staff", "POST", "/admin/quotas", map[string]any{"account": "acc_alice", "name": "ssl_gateways", "limit": 35, "reason": ""})
	r.want(t, 204, "staff", "POST", "/admin/quotas", decide)
	if q := row(); q["asked"] != nil || q["limit"] != 35.0 {
		t.Errorf("got %v", q)
	}
	decide["decline"] = true
	r.want(t, 404, "staff", "POST", "/admin/quotas", decide)
}
