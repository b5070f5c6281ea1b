package app

import (
	"net/url"
	"testing"
)

// renew orders more time for a person's gateway and pays for it.
func (p *person) renew(months int) string {
	p.in.t.Helper()
	r := object{"resource": p.ids["vpn-gateways"], "cycle": months}
	r["quote_hash"] = p.do(200, "POST", "/renewal-quotes", r).str("quote_hash")
	r["kind"], r["options"] = "renew", object{}
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

func TestARenewalIsPaidOnceAndStaffCanStopAGateway(t *testing.T) {
	in := install(t)
	p := in.customer("renewer", 1)
	path := "/vpn-gateways/" + p.ids["vpn-gateways"] + "/service"
	before := p.do(200, "GET", path, nil)
	if before.str("state") != "active" || before.str("paid_through") == "" || before.str("timeline.what") != "renewal_order" {
		t.Errorf("before: got %s", before)
	}
	ordered := p.renew(3)
	if a := p.do(200, "GET", "/orders/"+ordered, nil); a.str("state") != "completed" || a.str("kind") != "renew" {
		t.Errorf("renewed: got %s", a)
	}
	after := p.do(200, "GET", path, nil)
	if after.str("paid_through") <= before.str("paid_through") {
		t.Errorf("paid through %s, before %s", after.str("paid_through"), before.str("paid_through"))
	}
	if a := p.do(200, "GET", "/notices", nil); a.str("items.title") == "" {
		t.Errorf("notices: got %s", a)
	}
	service := after.str("id")
	if a := p.do(200, "POST", "/services/"+service+"/auto-renew", object{"on": true}); a.json["auto_renew"] != true {
		t.Errorf("to be renewed: got %s", a)
	}
	if a := p.do(200, "POST", "/services/"+service+"/cancel-at-period-end", object{"on": true}); a.json["cancel_at_period_end"] != true || a.str("timeline.what") != "ends" {
		t.Errorf("to be ended: got %s", a)
	}
	if a := in.register("bystander").try("POST", "/services/"+service+"/cancel-at-period-end", object{"on": false}, ""); a.status != 404 {
		t.Errorf("another's: got %s", a)
	}
	if diff, err := in.modules.service.Prove(t.Context()); err != nil || len(diff) != 0 {
		t.Errorf("the books: %v, %v", diff, err)
	}
}
