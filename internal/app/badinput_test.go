package app

import (
	"context"
	"crypto/md5" //nolint:gosec // the protocol of the payment provider signs with it
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// signed is a notice as the payment provider signs it.
func signed(fields map[string]string, key string) string {
	var parts []string
	v := url.Values{}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, k+"="+fields[k])
		v.Set(k, fields[k])
	}
	sum := md5.Sum([]byte(strings.Join(parts, "&") + key)) //nolint:gosec // as above
	v.Set("sign", hex.EncodeToString(sum[:]))
	v.Set("sign_type", "MD5")
	return v.Encode()
}

// verified registers a customer whose identity is known.
func (in *rig) verified(name string, sequence int) *person {
	in.t.Helper()
	p := in.register(name)
	p.realName(sequence)
	return p
}

// started is an order with a payment that waits for the provider, and the
// provider's next notice.
func (p *person) started() (address string, notice map[string]string) {
	p.in.t.Helper()
	p.ids["orders"] = p.order()
	method := p.do(200, "GET", "/payment-methods", nil)
	p.consent(method.str("items.purpose"))
	start := p.do(201, "POST", "/orders/"+p.ids["orders"]+"/payments", object{"method": method.str("items.id")})
	field := func(name string) string { return start.str("instruction.fields." + name) }
	u, err := url.Parse(field("notify_url"))
	must(p.in.t, err)
	return u.Path, map[string]string{
		"pid": field("pid"), "trade_no": "T1", "out_trade_no": field("out_trade_no"), "type": field("type"),
		"name": field("name"), "money": field("money"), "trade_status": "TRADE_SUCCESS",
	}
}

func (p *person) orderState() string {
	p.in.t.Helper()
	return p.do(200, "GET", "/orders/"+p.ids["orders"], nil).str("state")
}

func TestAPaymentNoticeCountsOnceAndOnlyIfItIsTrue(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.verified("alice", 1)
	address, true1 := p.started()
	secret, err := os.ReadFile(in.cfg.Path("demo", "epay-key"))
	must(t, err)
	key := strings.TrimSpace(string(secret))
	with := func(name, value string) map[string]string {
		f := maps.Clone(true1)
		f[name], f["trade_no"] = value, "T-"+id.Random(5)
		return f
	}
	for what, query := range map[string]string{
		"forged":           signed(true1, strings.Repeat("0", 32)),
		"unsigned":         signed(true1, key)[:20],
		"altered":          strings.Replace(signed(true1, key), "money="+true1["money"], "money=0.01", 1),
		"said twice":       signed(true1, key) + "&money=0.01",
		"of a wrong sum":   signed(with("money", "0.01"), key),
		"of more":          signed(with("money", "99999.00"), key),
		"of no number":     signed(with("money", "NaN"), key),
		"of another shop":  signed(with("pid", "9999"), key),
		"of nothing known": signed(with("out_trade_no", "S0"), key),
		"of no success":    signed(with("trade_status", "TRADE_CLOSED"), key),
	} {
		a := in.send("", "GET", address+"?"+query, "")
		if told := a.text == "success"; told != strings.HasPrefix(what, "of ") && what != "of no number" {
			t.Errorf("a notice %s: got %s", what, a)
		}
		if got := p.orderState(); got != "pending_payment" {
			t.Fatalf("a notice %s: the order is %s", what, got)
		}
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if a := in.send("", "GET", address+"?"+signed(true1, key), ""); a.text != "success" {
				t.Errorf("one of fifty: got %s", a)
			}
		})
	}
	wg.Wait()
	in.drain()
	in.report()
	if got := p.orderState(); got != "completed" {
		t.Errorf("got order %s, want completed", got)
	}
	if gateways := p.do(200, "GET", "/vpn-gateways", nil).json["items"].([]any); len(gateways) != 1 {
		t.Errorf("got %d gateways for one payment told fifty times", len(gateways))
	}
	if got := p.do(200, "GET", "/wallet", nil).str("balance.amount"); got != "0.00" {
		t.Errorf("got %s in the wallet: told fifty times, counted more than once", got)
	}
	if wrong, err := in.modules.payment.Prove(context.Background()); err != nil || len(wrong) > 0 {
		t.Errorf("receipts and books differ: %v, %v", wrong, err)
	}
	if proof, err := in.modules.ledger.Prove(context.Background()); err != nil || len(proof.Problems) > 0 {
		t.Errorf("the books do not balance: %v, %v", proof.Problems, err)
	}
	if text := in.log.String(); strings.Contains(text, key) {
		t.Error("the provider's key is in the log")
	}
}

func TestAnOrderIsPricedByUsAndPlacedOnce(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.register("alice")
	ask := object{"product": "vpn-gateway", "region": in.cfg.Node.Region, "cycle": 1, "options": object{"ssl_bandwidth": "5", "ssl_connections": "5"}}
	place := func(change object) answer {
		hash := p.do(200, "POST", "/quotes", ask).str("quote_hash")
		body := object{"quote_hash": hash, "configuration": object{"name": "office", "network": "demo"}}
		maps.Copy(body, ask)
		maps.Copy(body, change)
		return p.try("POST", "/orders", body, id.Random(10))
	}
	wantProblem(t, "without real name", place(nil), 403, "realname.required")
	p.realName(1)
	hash := p.do(200, "POST", "/quotes", ask).str("quote_hash")
	_, digest, _ := strings.Cut(hash, ".")
	for what, c := range map[string]struct {
		change object
		status int
		code   string
	}{
		"a price":                {object{"price": "0.01"}, 422, "api.invalid_request"},
		"a discount":             {object{"discount": 100}, 422, "api.invalid_request"},
		"a total":                {object{"total": object{"amount": "0.01", "currency": "CNY"}}, 422, "api.invalid_request"},
		"none of it":             {object{"count": 0}, 422, "api.invalid_request"},
		"less than none":         {object{"count": -1}, 422, "api.invalid_request"},
		"an option not sold":     {object{"options": object{"ssl_bandwidth": "-5", "ssl_connections": "5"}}, 422, "vpn.limits_invalid"},
		"the quote of less":      {object{"options": object{"ssl_bandwidth": "1000", "ssl_connections": "5"}}, 409, "order.price_changed"},
		"a quote from long ago":  {object{"quote_hash": "1000000000." + digest}, 409, "order.price_changed"},
		"no quote":               {object{"quote_hash": ""}, 400, "order.quote_hash_invalid"},
		"another's network":      {object{"configuration": object{"name": "office", "network": "vpc-other"}}, 422, "vpn.network_not_found"},
		"a name with a new line": {object{"configuration": object{"name": "a\r\nb", "network": "demo"}}, 422, "order.configuration_invalid"},
	} {
		wantProblem(t, "an order with "+what, place(c.change), c.status, c.code)
	}
	body := object{"quote_hash": hash, "configuration": object{"name": "office", "network": "demo"}}
	maps.Copy(body, ask)
	p.fiftyAtOnce("POST", "/orders", body)
	if orders := p.do(200, "GET", "/orders", nil).json["items"].([]any); len(orders) != 1 {
		t.Errorf("got %d orders for one key, want 1", len(orders))
	}
	body["cycle"] = 2
	wantProblem(t, "the key for another order", p.try("POST", "/orders", body, "one-key-for-fifty"), 409, "api.idempotency_conflict")
}

// fiftyAtOnce sends one request fifty times with one key: each answer is the
// same thing made, or that it is being made.
func (p *person) fiftyAtOnce(method, path string, body object) {
	p.in.t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[string]bool{}
	for range 50 {
		wg.Go(func() {
			a := p.try(method, path, body, "one-key-for-fifty")
			if a.status == http.StatusConflict && a.str("code") == "api.idempotency_running" {
				return
			}
			if a.status != http.StatusCreated {
				p.in.t.Errorf("one of fifty: got %s", a)
			}
			mu.Lock()
			defer mu.Unlock()
			made[a.str("id")] = true
		})
	}
	wg.Wait()
	if len(made) != 1 {
		p.in.t.Errorf("fifty requests with one key made %v, want one thing", made)
	}
}

func TestWhoIsTooYoungOrMistypedLeavesNothing(t *testing.T) {
	t.Parallel()
	in := install(t)
	p, other := in.register("alice"), in.register("bob")
	good := civilid.Complete("11000019900101001")
	last := "0"
	if strings.HasSuffix(good, "0") {
		last = "1"
	}
	token := func(of *person, purpose string) string {
		return of.do(200, "GET", "/consent-prompts/"+purpose, nil).str("token")
	}
	for what, c := range map[string]struct {
		number, token string
		status        int
		code          string
	}{
		"a wrong check digit":    {good[:17] + last, token(p, "realname"), 422, "realname.number_invalid"},
		"born tomorrow":          {civilid.Complete("11000020990101001"), token(p, "realname"), 422, "realname.number_invalid"},
		"born on February 31":    {civilid.Complete("11000019900231001"), token(p, "realname"), 422, "realname.number_invalid"},
		"an invented token":      {good, strings.Repeat("x", 64), 409, "consent.token_invalid"},
		"a token of other text":  {good, token(p, "platform_policy"), 409, "consent.token_invalid"},
		"another person's token": {good, token(other, "realname"), 409, "consent.token_invalid"},
	} {
		a := p.try("POST", "/real-name-verifications", object{"name": "演示", "number": c.number, "consent_token": c.token}, id.Random(10))
		wantProblem(t, what, a, c.status, c.code)
		if strings.Contains(a.text+in.log.String(), c.number) {
			t.Errorf("%s: the number is told", what)
		}
	}
	child := civilid.Complete("11000020150101001")
	a := other.try("POST", "/real-name-verifications", object{"name": "演示", "number": child, "consent_token": token(other, "realname")}, id.Random(10))
	wantProblem(t, "a child", a, 422, "age.too_young")
	wantProblem(t, "a child's session afterwards", other.try("GET", "/me", nil, ""), 401, "account.session_ended")
	if strings.Contains(a.text+in.log.String(), child) {
		t.Error("the child's number is told")
	}
	if list := p.do(200, "GET", "/real-name-verifications", nil).json["items"].([]any); len(list) != 0 {
		t.Errorf("refused submissions left %v", list)
	}
	p.realName(1)
	if fmt.Sprint(p.do(200, "GET", "/real-name-verifications", nil).json["items"]) == "[]" {
		t.Error("a good submission is not there")
	}
}
