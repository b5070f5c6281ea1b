package paymenttest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	owner "github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Fault is how a provider misbehaves.
type Fault string

// Faults. Each ends with the next call of Misbehave.
const (
	Honest      Fault = "honest"
	WrongAmount Fault = "wrong amount"
	Foreign     Fault = "foreign merchant"
	Forged      Fault = "bad signature"
	Twice       Fault = "duplicates"
	Lost        Fault = "lost notice"
	Broken      Fault = "500"
	HangsUp     Fault = "no answer, but done"
	Unsigned    Fault = "unsigned answers" // of a provider that signs them
	Misanswered Fault = "forged answers"   // of a provider that signs them
	Slow        Fault = "refunds take time"
	BillMissing Fault = "a bill lacks a payment"
	BillDouble  Fault = "a bill lists a payment twice"
	BillAmount  Fault = "a bill has another amount"
	BillNoBack  Fault = "a bill lacks refunds"
	BillDamaged Fault = "a bill is damaged"
	BillCut     Fault = "a bill is cut short"
	BillLate    Fault = "a bill is late"
)

// Provider is a gateway with the simulator that it is a peer of.
type Provider struct {
	Gateway    payment.Gateway
	MerchantID string
	Methods    []string
	Secrets    []string // that must not be told in errors and logs
	Payer      []string // what the simulator says about the payer, which must not be kept

	// Follow does what the payer does with an instruction.
	Follow func(t testing.TB, in payment.Instruction)
	// Pay pays an attempt and returns when its notices are delivered or given up.
	Pay func(t testing.TB, no string)
	// Notify delivers the notice of an attempt once more.
	Notify func(no string)
	// End closes an attempt at the provider; nil: it cannot.
	End func(no string)
	// PaidBack is the sum that went back, in minor units.
	PaidBack func(no string) int64
	// Misbehave switches a fault; false: this provider has no such thing.
	Misbehave func(f Fault) bool
}

// Site is where a provider is opened: the shop's time, its door, and the way that
// notices come in by.
type Site struct {
	Clock    *clock.Fake
	Notices  *http.Client
	Register *Register

	take func(payment.RawRequest) payment.Answer
}

// Door opens the way to a server of httptest with TLS.
func (s *Site) Door(t testing.TB, certificate *x509.Certificate, recipients map[string]egress.Override) *egress.Egress {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	registry, err := egress.Load("mainland", true, recipients)
	if err != nil {
		t.Fatal(err)
	}
	return egress.New(egress.Deps{Registry: registry, Ledger: s.Register, Gate: open{}, Papers: open{}, Clock: s.Clock, Roots: roots})
}

// RoundTrip brings a notice to the shop.
func (s *Site) RoundTrip(r *http.Request) (*http.Response, error) {
	raw := payment.RawRequest{Method: r.Method, Query: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"), Headers: map[string]string{}}
	for name, v := range r.Header {
		if strings.HasPrefix(name, payment.SignatureHeaders) {
			raw.Headers[name] = v[0]
		}
	}
	if r.Body != nil {
		var err error
		if raw.Body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if r.URL.Path != "/pay/notify/"+Token {
		return nil, fmt.Errorf("a notice to %s", r.URL.Path)
	}
	a := s.take(raw)
	return &http.Response{StatusCode: a.Status, Header: http.Header{"Content-Type": {a.ContentType}}, Body: io.NopCloser(strings.NewReader(a.Body)), Request: r}, nil
}

// Register keeps disclosures in memory.
type Register struct {
	mu       sync.Mutex
	intents  []egress.Intent
	outcomes []egress.Outcome
}

// BeginDisclosure notes an intent.
func (r *Register) BeginDisclosure(_ context.Context, i egress.Intent) (egress.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intents = append(r.intents, i)
	return egress.Receipt{ID: "dis_1"}, nil
}

// FinishDisclosure notes an outcome.
func (r *Register) FinishDisclosure(_ context.Context, _ egress.Receipt, o egress.Outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, o)
	return nil
}

// Last returns the newest disclosure and how it ended.
func (r *Register) Last() (egress.Intent, egress.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.intents[len(r.intents)-1], r.outcomes[len(r.outcomes)-1]
}

type open struct{}

func (open) Gate(context.Context, id.Handle, string) error             { return nil }
func (open) Agreement(context.Context, string, string, []string) error { return nil }
func (open) Assessment(context.Context, string) error                  { return nil }

// stand is a shop with a provider.
type stand struct {
	*ordertest.Shop
	Provider
	site  *Site
	books *ledger.Service
	pay   *payment.Service
	log   *strings.Builder
}

const gateway = "gw"

// Contract holds a gateway to what the module expects of every one: against its
// simulator, on both databases, from the order to the books.
func Contract(t *testing.T, connect func(t *testing.T, s *Site) Provider) {
	for name, check := range map[string]func(t *testing.T, s *stand){
		"a notice pays the order":                  pays,
		"fifty notices are one payment":            once,
		"without a notice the question settles":    asks,
		"another amount goes to suspense":          differs,
		"another merchant's pays nothing":          foreign,
		"a forged notice pays nothing":             forged,
		"what is broken changes nothing":           broken,
		"a lost answer is asked about":             lostCreate,
		"unsigned answers are no facts":            unsigned,
		"the provider's end closes the attempt":    ended,
		"an attempt is closed at the provider":     closes,
		"money goes back once":                     refunds,
		"a refund without an answer is unknown":    lostRefund,
		"a refund on its way is asked about":       slowRefund,
		"a bill tells the day's trades":            bills,
		"what a bill tells wrong is found":         misbilled,
		"nothing of the payer and no secret stays": keeps,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) { check(t, newStand(t, d, connect)) }, Sets()...)
		})
	}
}

func newStand(t *testing.T, d *db.DB, connect func(t *testing.T, s *Site) Provider) *stand {
	t.Helper()
	s := &stand{Shop: ordertest.New(t, d), log: &strings.Builder{}}
	s.site = &Site{Clock: s.Clock, Register: &Register{}, take: func(r payment.RawRequest) payment.Answer {
		a, err := s.pay.HandleNotify(context.Background(), Token, r)
		if err != nil {
			t.Errorf("notice: %v", err)
		}
		return a
	}}
	s.site.Notices = &http.Client{Transport: s.site}
	s.Provider = connect(t, s.site)
	s.books = ledger.New(ledger.Deps{DB: d, Clock: s.Clock})
	var err error
	s.pay, err = payment.New(payment.Deps{
		DB: d, Clock: s.Clock, Queue: s.Queue, Log: slog.New(slog.NewTextHandler(&locked{w: s.log}, &slog.HandlerOptions{Level: slog.LevelDebug})), Audit: s.Log,
		Ledger: s.books, Orders: s.Orders, BaseURL: BaseURL, Title: "Skybridge order", Accounts: []payment.GatewayAccount{{
			ID: gateway, Token: Token, MerchantID: s.MerchantID, Currency: money.CNY, Min: 1, Max: 100_000_00, Methods: s.Methods, Gateway: s.Gateway,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// locked lets deliveries in the background log.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.w.Write(b) }

// started places an order, starts its payment and leads the payer there.
func (s *stand) started(t testing.TB, method string) (order.Order, payment.Attempt) {
	t.Helper()
	p := ordertest.Customer()
	o := s.Place(p)
	a, in, err := s.pay.Start(context.Background(), p, o.ID, gateway+"."+method)
	if err != nil {
		t.Fatalf("starting by %s: %v", method, err)
	}
	s.Follow(t, in)
	return o, a
}

func (s *stand) paid(t testing.TB) payment.Attempt {
	t.Helper()
	o, a := s.started(t, s.Methods[0])
	s.Pay(t, a.No)
	s.state(t, o, order.Paid, a, payment.Succeeded)
	return s.attempt(t, a.No)
}

func (s *stand) attempt(t testing.TB, no string) payment.Attempt {
	t.Helper()
	all, err := s.pay.ListAll(context.Background(), staff, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.No == no {
			return a
		}
	}
	t.Fatalf("no attempt %s", no)
	return payment.Attempt{}
}

func (s *stand) state(t testing.TB, o order.Order, want order.State, a payment.Attempt, attempt payment.State) {
	t.Helper()
	if got := s.Order(o.ID).State; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	if got := s.attempt(t, a.No).State; got != attempt {
		t.Errorf("the attempt is %s, want %s", got, attempt)
	}
}

func (s *stand) receipts(t testing.TB, no string) []payment.Receipt {
	t.Helper()
	all, err := s.pay.Receipts(context.Background(), staff, no)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// proven checks the books, and that the gateway's account holds a sum.
func (s *stand) proven(t testing.TB, minor int64) {
	t.Helper()
	p, err := s.books.Prove(context.Background())
	if err != nil || len(p.Problems) > 0 {
		t.Errorf("the books: %v, %v", p.Problems, err)
	}
	got, err := s.books.Balance(context.Background(), ledger.Gateway(gateway), money.CNY)
	if err != nil || got.Minor != minor {
		t.Errorf("at the gateway: got %d, %v, want %d", got.Minor, err, minor)
	}
}

func (s *stand) misbehave(t testing.TB, f Fault) {
	t.Helper()
	if !s.Misbehave(f) {
		t.Logf("this provider has no fault %q", f)
	}
}

func ref(a payment.Attempt) payment.AttemptRef {
	return payment.AttemptRef{AttemptNo: a.No, Subject: a.Subject, Amount: a.Amount}
}

func pays(t *testing.T, s *stand) {
	sum := int64(0)
	for _, m := range s.Methods {
		o, a := s.started(t, m)
		if i, outcome := s.site.Register.Last(); i.Subject != a.Subject || strings.Join(i.Fields, " ") != "order_no amount" || outcome != egress.Done {
			t.Errorf("%s: disclosed %v of %s, %s", m, i.Fields, i.Subject, outcome)
		}
		s.state(t, o, order.PendingPayment, a, payment.Pending)
		s.Pay(t, a.No)
		s.state(t, o, order.Paid, a, payment.Succeeded)
		sum += a.Amount.Minor
		got := s.receipts(t, a.No)
		if len(got) != 1 || got[0].Amount != a.Amount || got[0].Disposition != payment.ToOrder || got[0].TradeNo == "" {
			t.Errorf("%s: receipts %+v", m, got)
		}
	}
	s.proven(t, sum)
}

func once(t *testing.T, s *stand) {
	s.misbehave(t, Twice)
	a := s.paid(t)
	if n := len(s.receipts(t, a.No)); n != 1 {
		t.Errorf("%d receipts", n)
	}
	s.proven(t, a.Amount.Minor)
}

func asks(t *testing.T, s *stand) {
	o, a := s.started(t, s.Methods[0])
	s.misbehave(t, Lost)
	s.Pay(t, a.No)
	s.state(t, o, order.PendingPayment, a, payment.Pending)
	s.misbehave(t, Honest)
	if _, err := s.pay.Returned(context.Background(), a.No); err != nil {
		t.Fatal(err)
	}
	s.Settle()
	s.state(t, o, s.Order(o.ID).State, a, payment.Succeeded)
	if s.Order(o.ID).State == order.PendingPayment {
		t.Error("the order waits for its payment")
	}
	s.proven(t, a.Amount.Minor)
	s.Notify(a.No) // a notice that comes after all changes nothing
	s.proven(t, a.Amount.Minor)
}

func differs(t *testing.T, s *stand) {
	o, a := s.started(t, s.Methods[0])
	s.misbehave(t, WrongAmount)
	s.Pay(t, a.No)
	s.state(t, o, order.PendingPayment, a, payment.Pending)
	if got := s.receipts(t, a.No); len(got) != 1 || got[0].Disposition != payment.ToSuspense || got[0].Amount.Minor != a.Amount.Minor+1 {
		t.Errorf("receipts %+v", got)
	}
	s.proven(t, a.Amount.Minor+1)
}

func foreign(t *testing.T, s *stand) {
	o, a := s.started(t, s.Methods[0])
	s.misbehave(t, Foreign)
	s.Pay(t, a.No)
	s.state(t, o, order.PendingPayment, a, payment.Pending)
	s.proven(t, 0)
}

func forged(t *testing.T, s *stand) {
	o, a := s.started(t, s.Methods[0])
	s.misbehave(t, Forged)
	s.Pay(t, a.No)
	s.state(t, o, order.PendingPayment, a, payment.Pending)
	s.proven(t, 0)
	s.misbehave(t, Honest)
	if _, err := s.pay.Returned(context.Background(), a.No); err != nil {
		t.Fatal(err)
	}
	s.Settle()
	s.state(t, o, s.Order(o.ID).State, a, payment.Succeeded)
	s.proven(t, a.Amount.Minor)
}

func broken(t *testing.T, s *stand) {
	_, a := s.started(t, s.Methods[0])
	q := s.Gateway.(payment.Querier)
	for _, f := range []Fault{Broken, HangsUp} {
		s.misbehave(t, f)
		_, err := q.Query(context.Background(), ref(a))
		if !errors.Is(err, payment.ErrTemporary) && !errors.Is(err, payment.ErrUnknownOutcome) {
			t.Errorf("%s: got %v", f, err)
		}
		s.quiet(t, fmt.Sprint(err))
		if _, outcome := s.site.Register.Last(); outcome != egress.Unknown {
			t.Errorf("%s: recorded as %s", f, outcome)
		}
	}
	s.misbehave(t, Honest)
	if _, err := q.Query(context.Background(), payment.AttemptRef{AttemptNo: "S26112210200000000000000000000", Subject: a.Subject}); !errors.Is(err, payment.ErrTradeNotFound) {
		t.Errorf("a trade that is not there: got %v", err)
	}
}

// lostCreate is about methods whose payment the server makes.
func lostCreate(t *testing.T, s *stand) {
	for _, m := range s.Methods {
		p := ordertest.Customer()
		o := s.Place(p)
		s.misbehave(t, HangsUp)
		a, in, err := s.pay.Start(context.Background(), p, o.ID, gateway+"."+m)
		s.misbehave(t, Honest)
		if err == nil {
			continue // the browser carries it
		}
		if !errors.Is(err, payment.ErrUnknownOutcome) || in.QR+in.URL != "" {
			t.Errorf("%s: got %+v, %v", m, in, err)
		}
		s.state(t, o, order.PendingPayment, a, payment.Unknown)
		if _, _, err := s.pay.Start(context.Background(), p, o.ID, gateway+"."+m); !errors.Is(err, payment.ErrUnknownOutcome) {
			t.Errorf("%s, before it is understood: got %v", m, err)
		}
		s.Pay(t, a.No) // the payer had it after all
		s.state(t, o, order.Paid, a, payment.Succeeded)
	}
}

func unsigned(t *testing.T, s *stand) {
	o, a := s.started(t, s.Methods[0])
	s.misbehave(t, Lost)
	s.Pay(t, a.No)
	for _, f := range []Fault{Unsigned, Misanswered} {
		if !s.Misbehave(f) {
			continue
		}
		if got, err := s.Gateway.(payment.Querier).Query(context.Background(), ref(a)); !errors.Is(err, payment.ErrUnknownOutcome) || got.State == payment.FactPaid {
			t.Errorf("%s: got %s, %v", f, got.State, err)
		}
		if err := s.pay.QueryNow(context.Background(), staff, a.No); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(10 * time.Second)
		s.Settle()
		s.state(t, o, order.PendingPayment, a, payment.Pending)
	}
	s.proven(t, 0)
}

func ended(t *testing.T, s *stand) {
	if s.End == nil {
		t.Log("this provider ends nothing")
		return
	}
	o, a := s.started(t, s.Methods[0])
	s.End(a.No)
	if _, err := s.pay.Returned(context.Background(), a.No); err != nil {
		t.Fatal(err)
	}
	s.Settle()
	s.state(t, o, order.PendingPayment, a, payment.Closed)
	if !s.attempt(t, a.No).CloseConfirmed {
		t.Error("the end is not confirmed")
	}
}

func closes(t *testing.T, s *stand) {
	c, ok := s.Gateway.(payment.Closer)
	if !ok {
		t.Log("this provider closes nothing")
		return
	}
	_, a := s.started(t, s.Methods[0])
	if err := c.Close(context.Background(), ref(a)); err != nil {
		t.Fatal(err)
	}
	f, err := s.Gateway.(payment.Querier).Query(context.Background(), ref(a))
	if err != nil || f.State != payment.FactClosed {
		t.Errorf("after closing: got %s, %v", f.State, err)
	}
	paid := s.paid(t)
	if err := c.Close(context.Background(), ref(paid)); err == nil {
		t.Error("a paid trade was closed")
	}
	s.proven(t, paid.Amount.Minor)
}

func (s *stand) refund(a payment.Attempt, no string, minor int64) (payment.RefundFact, error) {
	return s.Gateway.(payment.Refunder).Refund(context.Background(), payment.RefundRequest{
		RefundNo: no, AttemptNo: a.No, Subject: a.Subject, Amount: money.New(minor, money.CNY), Paid: a.Amount,
	})
}

const (
	refund1 = "R26112210200000000000000000001"
	refund2 = "R26112210200000000000000000002"
)

func refunds(t *testing.T, s *stand) {
	r := s.Gateway.(payment.Refunder)
	a := s.paid(t)
	f, err := s.refund(a, refund1, 100)
	if err != nil || f.State != payment.RefundSucceeded || f.Amount.Minor != 100 || f.RefundNo != refund1 || f.AttemptNo != a.No || f.MerchantID != s.MerchantID {
		t.Fatalf("got %+v, %v", f, err)
	}
	if r.IdempotentRefund() {
		if f, err = s.refund(a, refund1, 100); err != nil || f.State != payment.RefundSucceeded && f.State != payment.RefundProcessing {
			t.Errorf("again: got %+v, %v", f, err)
		}
	}
	if got := s.PaidBack(a.No); got != 100 {
		t.Errorf("%d went back, want 100", got)
	}
	if _, err := s.refund(a, refund2, a.Amount.Minor); !errors.Is(err, payment.ErrDeclined) {
		t.Errorf("more than is left: got %v", err)
	}
	if q, ok := s.Gateway.(payment.RefundQuerier); ok {
		f, err := q.QueryRefund(context.Background(), payment.RefundRef{RefundNo: refund1, AttemptNo: a.No, Subject: a.Subject})
		if err != nil || f.State != payment.RefundSucceeded || f.Amount.Minor != 100 || f.At.IsZero() {
			t.Errorf("asked: got %+v, %v", f, err)
		}
		if _, err := q.QueryRefund(context.Background(), payment.RefundRef{RefundNo: refund2, AttemptNo: a.No, Subject: a.Subject}); !errors.Is(err, payment.ErrTradeNotFound) {
			t.Errorf("asked for none: got %v", err)
		}
	}
	// The refund's own notice, and that of the trade, come again and change nothing.
	if got := s.attempt(t, a.No).State; got != payment.Succeeded {
		t.Errorf("the attempt is %s", got)
	}
	s.proven(t, a.Amount.Minor)
}

func lostRefund(t *testing.T, s *stand) {
	a := s.paid(t)
	s.misbehave(t, Broken)
	if _, err := s.refund(a, refund1, 100); !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("500: got %v", err)
	}
	s.misbehave(t, HangsUp)
	_, err := s.refund(a, refund1, 100)
	if !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("no answer: got %v", err)
	}
	s.quiet(t, fmt.Sprint(err))
	s.misbehave(t, Honest)
	if q, ok := s.Gateway.(payment.RefundQuerier); ok {
		f, err := q.QueryRefund(context.Background(), payment.RefundRef{RefundNo: refund1, AttemptNo: a.No, Subject: a.Subject})
		if err != nil || f.State != payment.RefundSucceeded {
			t.Errorf("asked: got %+v, %v", f, err)
		}
	}
	if got := s.PaidBack(a.No); got != 100 {
		t.Errorf("%d went back, want 100", got)
	}
}

func slowRefund(t *testing.T, s *stand) {
	q, ok := s.Gateway.(payment.RefundQuerier)
	a := s.paid(t)
	if !ok || !s.Misbehave(Slow) {
		t.Log("refunds of this provider take no time")
		return
	}
	f, err := s.refund(a, refund1, 100)
	if err != nil || f.State != payment.RefundProcessing {
		t.Errorf("got %+v, %v", f, err)
	}
	f, err = q.QueryRefund(context.Background(), payment.RefundRef{RefundNo: refund1, AttemptNo: a.No, Subject: a.Subject})
	if err != nil || f.State != payment.RefundProcessing {
		t.Errorf("asked: got %+v, %v", f, err)
	}
}

func bills(t *testing.T, s *stand) {
	b, ok := s.Gateway.(payment.Biller)
	if !ok {
		t.Log("this provider has no bills")
		return
	}
	day := s.Clock.Now()
	a := s.paid(t)
	if _, err := s.refund(a, refund1, 100); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(24 * time.Hour)
	var rows []payment.BillRow
	err := b.Bill(context.Background(), day, func(r payment.BillRow) error { rows = append(rows, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	trade := s.receipts(t, a.No)[0].TradeNo
	if len(rows) == 0 || rows[0].AttemptNo != a.No || rows[0].TradeNo != trade || rows[0].Amount != a.Amount || rows[0].RefundNo != "" || rows[0].At.IsZero() {
		t.Fatalf("got %+v", rows)
	}
	if _, tells := s.Gateway.(payment.RefundQuerier); tells {
		if len(rows) != 2 || rows[1].RefundNo != refund1 || rows[1].Amount.Minor != 100 || rows[0].Fee.Minor != a.Amount.Minor*6/1000 {
			t.Errorf("got %+v", rows)
		}
	}
	if err := b.Bill(context.Background(), day.AddDate(0, 0, 5), func(payment.BillRow) error { return errors.New("a row") }); err != nil && !errors.Is(err, payment.ErrTradeNotFound) {
		t.Errorf("a day that has not come: got %v", err)
	}
	full := errors.New("disk full")
	if err := b.Bill(context.Background(), day, func(payment.BillRow) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, want the caller's error", err)
	}
}

// quiet holds a text to have none of the secrets.
func (s *stand) quiet(t testing.TB, text string) {
	t.Helper()
	for _, secret := range append(s.Secrets, s.Payer...) {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("%q is told in %s", secret, text)
		}
	}
}

func keeps(t *testing.T, s *stand) {
	s.paid(t)
	for _, f := range []Fault{Forged, WrongAmount, Broken} {
		s.misbehave(t, Honest)
		_, a := s.started(t, s.Methods[0])
		s.misbehave(t, f)
		s.Pay(t, a.No)
		if err := s.pay.QueryNow(context.Background(), staff, a.No); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Minute)
		s.Settle()
	}
	s.quiet(t, s.log.String())
	tables, err := s.DB.Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for table, columns := range tables {
		for _, c := range columns {
			rows, err := db.Select(context.Background(), s.DB, db.One[string], "SELECT CAST("+c+" AS TEXT) FROM "+table+" WHERE "+c+" IS NOT NULL")
			if err != nil {
				t.Fatalf("%s.%s: %v", table, c, err)
			}
			looked += len(rows)
			s.quiet(t, strings.Join(rows, "\n"))
		}
	}
	if looked < 50 {
		t.Errorf("looked at %d values: too few", looked)
	}
}

var staff = owner.Principal{Staff: true, Permissions: []string{"payment.read"}}
