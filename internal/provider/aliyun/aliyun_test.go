package aliyun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/aliyun"
)

// TestTheProvidersOwnVector is the example that the provider publishes with its
// signature's description.
func TestTheProvidersOwnVector(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest("POST", "https://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", nil)
	must(t, err)
	at := time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)
	k := key{"YourAccessKeyId", "YourAccessKeySecret"}
	k.sign(r, call{"RunInstances", "2014-05-26", "3156853299f313e23d1673dc12e1703d"}, nil, at)
	text, _ := canonical(r)
	digest := sha256.Sum256([]byte(text))
	if got, want := hex.EncodeToString(digest[:]), "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"; got != want {
		t.Errorf("canonical request: got %s, want %s\n%s", got, want, text)
	}
	want := "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEscapeIsRFC3986(t *testing.T) {
	t.Parallel()
	if got, want := escape("a-_.~ *中+/=&"), "a-_.~%20%2A%E4%B8%AD%2B%2F%3D%26"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// ledger keeps outcomes in memory.
type ledger struct {
	mu       sync.Mutex
	intents  []egress.Intent
	outcomes []egress.Outcome
}

func (l *ledger) BeginDisclosure(_ context.Context, i egress.Intent) (egress.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.intents = append(l.intents, i)
	return egress.Receipt{ID: "dis_1"}, nil
}

func (l *ledger) FinishDisclosure(_ context.Context, _ egress.Receipt, o egress.Outcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes = append(l.outcomes, o)
	return nil
}

// inForce are papers that nothing is missing of.
type inForce struct{}

func (inForce) Agreement(context.Context, string, string, []string) error { return nil }
func (inForce) Assessment(context.Context, string) error                  { return nil }

type gate struct{ err error }

func (g *gate) Gate(context.Context, id.Handle, string) error { return g.err }

type rig struct {
	c      *Checker
	sim    *simulator.Server
	ledger *ledger
	gate   *gate
}

const keyID, keySecret = "LTAIdemo", "a-secret-of-the-demo"

func newRig(t *testing.T) rig {
	t.Helper()
	now := clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC))
	sim, err := simulator.New(simulator.Config{AccessKeyID: keyID, AccessKeySecret: keySecret, Clock: now})
	must(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"idv.aliyun": {Endpoint: server.URL}})
	must(t, err)
	r := rig{sim: sim, ledger: &ledger{}, gate: &gate{}}
	e := egress.New(egress.Deps{Registry: registry, Ledger: r.ledger, Gate: r.gate, Papers: inForce{}, Clock: now})
	r.c, err = New(Config{AccessKeyID: keyID, AccessKeySecret: keySecret, PublicKey: sim.PublicKey(), Egress: e, Clock: now})
	must(t, err)
	return r
}

// number belongs to nobody: no county is called 110000.
const number = "110000199001010013"

func request(name string) realname.CheckRequest {
	return realname.CheckRequest{Reference: "rnv_1", Subject: "sub_a", Name: name, Number: number}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cases := []struct {
		name string
		want realname.Result
		err  error
	}{
		{"张三", realname.Match, nil},
		{"张错", realname.Mismatch, nil},
		{"张无", realname.NoRecord, nil},
		{"张限", "", realname.ErrProviderLimit},
		{"张坏", "", realname.ErrSource},
	}
	for _, c := range cases {
		got, err := r.c.Check(context.Background(), request(c.name))
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q, %v, want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
	if slices.ContainsFunc(r.ledger.outcomes, func(o egress.Outcome) bool { return o != egress.Done }) || len(r.ledger.outcomes) != len(cases) {
		t.Errorf("outcomes: %v", r.ledger.outcomes)
	}
	real := request("张三")
	real.Number = "11010519491231002X"
	if _, err := r.c.Check(context.Background(), real); !errors.Is(err, realname.ErrRefused) {
		t.Errorf("a number outside the demo's region: got %v, want ErrRefused", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		faults  simulator.Faults
		want    error
		outcome egress.Outcome
	}{
		{"throttled", simulator.Faults{Throttle: true}, realname.ErrProviderLimit, egress.Done},
		{"billed, then hung up", simulator.Faults{HangUp: true}, realname.ErrOutcomeUnknown, egress.Unknown},
		{"not JSON", simulator.Faults{Garbage: true}, realname.ErrOutcomeUnknown, egress.Unknown},
		{"empty 500", simulator.Faults{Status: 500}, realname.ErrOutcomeUnknown, egress.Unknown},
		{"out of money", simulator.Faults{Code: "412"}, realname.ErrSource, egress.Done},
		{"unknown code", simulator.Faults{Code: "Whatever"}, realname.ErrSource, egress.Done},
	}
	for _, c := range cases {
		r := newRig(t)
		r.sim.SetFaults(c.faults)
		got, err := r.c.Check(context.Background(), request("张三"))
		if got != "" || !errors.Is(err, c.want) {
			t.Errorf("%s: got %q, %v, want %v", c.name, got, err, c.want)
		}
		if !slices.Equal(r.ledger.outcomes, []egress.Outcome{c.outcome}) {
			t.Errorf("%s: outcomes %v, want %s", c.name, r.ledger.outcomes, c.outcome)
		}
		if err != nil && (strings.Contains(err.Error(), number) || strings.Contains(err.Error(), "张三")) {
			t.Errorf("%s: the error tells a value", c.name)
		}
	}
}

func TestASlowProviderIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.SetFaults(simulator.Faults{SlowMillis: 60_000})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := r.c.Check(ctx, request("张三")); !errors.Is(err, realname.ErrOutcomeUnknown) {
		t.Errorf("got %v, want ErrOutcomeUnknown", err)
	}
	if !slices.Equal(r.ledger.outcomes, []egress.Outcome{egress.Unknown}) {
		t.Errorf("outcomes: %v", r.ledger.outcomes)
	}
}

func TestWithoutConsentNothingIsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.gate.err = errs.New(errs.Forbidden, "consent.gate_closed")
	if _, err := r.c.Check(context.Background(), request("张三")); !errors.Is(err, r.gate.err) {
		t.Errorf("got %v", err)
	}
	if len(r.sim.Calls()) != 0 || len(r.ledger.intents) != 0 {
		t.Errorf("%d calls, %d intents", len(r.sim.Calls()), len(r.ledger.intents))
	}
}

func TestAWrongSecretIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.c.key.secret = "another"
	if _, err := r.c.Check(context.Background(), request("张三")); !errors.Is(err, realname.ErrSource) {
		t.Errorf("got %v, want ErrSource", err)
	}
	if len(r.sim.Calls()) != 0 {
		t.Error("an unauthenticated call was carried out")
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"no secret": {AccessKeyID: "a", PublicKey: strings.Repeat("0", 130)},
		"no hex":    {AccessKeyID: "a", AccessKeySecret: "b", PublicKey: "zz"},
		"no point":  {AccessKeyID: "a", AccessKeySecret: "b", PublicKey: "04" + strings.Repeat("11", 64)},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Code":"200","RequestId":"A","ResultObject":{"BizCode":"1"}}`))
	f.Add([]byte(`{"Code":"Throttling.User"}`))
	f.Add([]byte(`{"Code":200}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := parse(raw)
		if err != nil {
			return
		}
		got, err := a.result()
		if (err == nil) != (got != "") {
			t.Errorf("got %q with error %v", got, err)
		}
		if got == realname.Match && (a.Code != "200" || a.ResultObject.BizCode != "1") {
			t.Errorf("%q became a match", raw)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
