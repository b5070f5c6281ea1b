package app

import (
	"net/url"
	"testing"
)

// upgrade orders more for a person's gateway and pays for it.
func (p *person) upgrade(options object) string {
	p.in.t.Helper()
	r := object{"resource": p.ids["vpn-gateways"], "options": options}
	r["quote_hash"] = p.do(200, "POST", "/upgrade-quotes", r).str("quote_hash")
	r["kind"] = "upgrade"
	p.ids["orders"] = p.do(201, "POST", "/orders", r).str("id")
	start := p.do(201, "POST", "/orders/"+p.ids["orders"]+"/payments", object{"method": p.do(200, "GET", "/payment-methods", nil).str("items.id")})
	form := url.Values{}
	for k, v := range start.json["instruction"].(map[string]any)["fields"].(map[string]any) {
		form.Set(k, v.(string))
	}
	p.in.cashier(start.str("instruction.url"), form)
	p.paid()
	p.in.drain()
	return p.ids["orders"]
}

func TestAnUpgradeIsPaidAndReachesTheNodeWhileASessionLives(t *testing.T) {
	in := install(t)
	p := in.customer("upgrader", 1)
	other := in.register("bystander")
	gateway := p.ids["vpn-gateways"]
	for _, c := range []struct {
		who    *person
		body   object
		status int
		code   string
	}{
		{p, object{"resource": gateway, "options": object{"ssl_bandwidth": "1"}}, 422, "order.downgrade_not_supported"},
		{p, object{"resource": gateway, "options": object{"ssl_bandwidth": "5"}}, 422, "order.nothing_to_upgrade"},
		{p, object{"resource": gateway, "options": object{"ssl_bandwidth": "10"}, "total": "0.01"}, 422, ""},
		{other, object{"resource": gateway, "options": object{"ssl_bandwidth": "10"}}, 404, "service.not_found"},
	} {
		if a := c.who.try("POST", "/upgrade-quotes", c.body, ""); a.status != c.status || (c.code != "" && a.str("code") != c.code) {
			t.Errorf("%v: got %s, want %d %s", c.body, a, c.status, c.code)
		}
	}
	ordered := p.upgrade(object{"ssl_bandwidth": "20", "ssl_connections": "10"})
	if a := p.do(200, "GET", "/vpn-gateways/"+gateway, nil); a.str("state") != "updating" || a.json["ssl_bandwidth"] != 20.0 {
		t.Errorf("before the node has applied it: got %s", a)
	}
	if a := p.do(200, "GET", "/orders/"+ordered, nil); a.str("state") != "fulfilling" || a.str("lines.resource") != gateway {
		t.Errorf("before the node has applied it: got %s", a)
	}
	d := in.report()
	g := d.Gateways[0]
	if g.UpRate != 20_000_000 || g.DownRate != 20_000_000 || g.SessionLimit != 10 || len(d.Closures) != 0 {
		t.Errorf("the node is told %+v and to close %v", g, d.Closures)
	}
	if a := p.do(200, "GET", "/orders/"+ordered, nil); a.str("state") != "completed" {
		t.Errorf("applied: got %s", a)
	}
	if a := p.do(200, "GET", "/vpn-gateways/"+gateway, nil); a.str("state") != "active" {
		t.Errorf("applied: got %s", a)
	}
	if a := p.do(200, "GET", "/vpn-sessions?live=true", nil); a.str("items.id") != p.ids["vpn-sessions"] {
		t.Errorf("the session did not live on: %s", a)
	}
	// An old quote is worth nothing.
	r := object{"kind": "upgrade", "resource": gateway, "options": object{"ssl_bandwidth": "1000"}, "quote_hash": "1.0"}
	if a := p.try("POST", "/orders", r, "an-old-quote-1"); a.status != 400 || a.str("code") != "order.quote_hash_invalid" {
		t.Errorf("a made-up quote: got %s", a)
	}
}

func TestAReleasedGatewayIsDeletingUntilItsNodeHasRemovedIt(t *testing.T) {
	in := install(t)
	p := in.customer("leaver", 1)
	path := "/vpn-gateways/" + p.ids["vpn-gateways"]
	if a := p.try("DELETE", path, nil, ""); a.status != 409 || a.str("code") != "vpn.in_use" {
		t.Errorf("with a server in it: got %s", a)
	}
	if a := in.register("bystander").try("DELETE", path+"?force=true", nil, ""); a.status != 404 {
		t.Errorf("another's: got %s", a)
	}
	p.do(202, "DELETE", path+"?force=true", nil)
	in.drain()
	if a := p.do(200, "GET", path, nil); a.str("state") != "deleting" {
		t.Errorf("before the node has removed it: got %s", a)
	}
	if d := in.report(); len(d.Gateways) != 0 {
		t.Errorf("the node is told %+v", d)
	}
	p.do(404, "GET", path, nil)
	if a := p.do(200, "GET", "/ssl-clients", nil); a.str("items.id") != "" {
		t.Errorf("its clients: got %s", a)
	}
}
