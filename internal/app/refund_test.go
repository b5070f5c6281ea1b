package app

import (
	"strings"
	"testing"
)

func TestARefundEndsTheServiceAndTheBooksAgree(t *testing.T) {
	in := install(t)
	p, boss := in.customer("returner", 1), in.boss()
	order := "/orders/" + p.ids["orders"]
	if a := p.do(200, "GET", order+"/refund-offer", nil); a.str("rule") != "full" || !strings.Contains(a.text, `"targets":["original","wallet"]`) {
		t.Errorf("offer: %s", a)
	}
	no := p.do(201, "POST", order+"/refunds", object{"target": "original"}).str("number")
	if a := p.do(200, "GET", "/vpn-gateways/"+p.ids["vpn-gateways"]+"/service", nil); a.str("state") != "active" {
		t.Errorf("nobody has approved yet: %s", a)
	}
	boss.do(200, "POST", "/admin/refunds/"+no+"/approve", object{})
	in.drain()
	if a := boss.do(200, "GET", "/admin/refunds/"+no, nil); a.str("state") != "succeeded" {
		t.Errorf("the money: %s", a)
	}
	if a := p.do(200, "GET", order, nil); a.str("state") != "refunded" {
		t.Errorf("order: %s", a)
	}
	if a := p.try("GET", "/vpn-gateways/"+p.ids["vpn-gateways"]+"/service", nil, ""); a.str("state") == "active" || a.str("state") == "suspended" {
		t.Errorf("the service: %s", a)
	}
	if diff, err := in.modules.service.Prove(t.Context()); err != nil || len(diff) != 0 {
		t.Errorf("what is to be earned: %v, %v", diff, err)
	}
	if wrong, err := in.modules.payment.Prove(t.Context()); err != nil || len(wrong) != 0 {
		t.Errorf("receipts: %v, %v", wrong, err)
	}
}
