// Package till is what simulated payment providers have in common: the book of
// trades and refunds, what goes wrong, notices that are repeated until they are
// acknowledged, a cashier that a browser can use without JavaScript, and the
// control endpoint of tests. The wire protocol is the provider's own.
//
//	merchant ─ API ──▶ provider ─▶ Open, Get, Close, Refund
//	browser ─────────▶ /cashier ─▶ Pay ─ 303 ─▶ return address
//	                                └─ Protocol.Notice ─▶ notify address, until Protocol.Acked
//	test ────────────▶ /control/faults, /control/pay, /control/notify, /control/trades
//
// It is for demos and tests on loopback, never for money, and shares no code
// with the adapters that it is a peer of.
package till

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

// Protocol is how a provider says things.
type Protocol interface {
	// Notice makes the message about a trade, or about one of its refunds.
	Notice(t Trade, r *Refund, f Faults) (*http.Request, error)
	// Acked tells whether the merchant's answer ends the deliveries.
	Acked(status int, body string) bool
}

// Faults are what goes wrong. The zero value is an honest, healthy provider.
type Faults struct {
	SlowMS             int    `json:"slow_ms"`              // every answer waits
	Fail500            bool   `json:"fail_500"`             // the API answers 500 and does nothing
	TimeoutAfterCommit bool   `json:"timeout_after_commit"` // what was asked is done, the connection breaks without an answer
	Unsigned           bool   `json:"unsigned"`             // API answers bear no signature, or are unsigned errors
	BadAnswer          bool   `json:"bad_answer"`           // API answers are signed with another key
	Duplicates         int    `json:"duplicates"`           // each notice is delivered this many times more, at once
	LateMS             int    `json:"late_ms"`              // notices wait
	Reorder            bool   `json:"reorder"`              // a notice waits until the next trade's has been delivered
	WrongAmount        bool   `json:"wrong_amount"`         // notices bear one fen more than was asked
	ForeignMerchant    bool   `json:"foreign_merchant"`     // notices are of another merchant, well signed
	BadSignature       bool   `json:"bad_signature"`        // notices are signed with another key
	Probe              bool   `json:"probe"`                // a probe with a wrong signature goes before each notice
	WrongNonce         bool   `json:"wrong_nonce"`          // encrypted notices have a nonce of another length
	Stale              bool   `json:"stale"`                // signatures are ten minutes old
	LostNotice         bool   `json:"lost_notice"`          // no notice is delivered
	RefundState        string `json:"refund_state"`         // "processing", "abnormal", "closed"; empty: refunds succeed at once
	Bill               string `json:"bill"`                 // what bills tell wrong: "missing", "double", "amount", "no_refund", "damaged", "truncated", "late"
	Key                string `json:"key"`                  // which key signs: "" the first, "second", "grey": both in turn
}

// Trade is a payment at the provider.
type Trade struct {
	TradeNo    string   `json:"trade_no"`
	OutTradeNo string   `json:"out_trade_no"`
	Method     string   `json:"method"`
	Subject    string   `json:"subject"`
	Fen        int64    `json:"fen"`
	State      string   `json:"state"` // "waiting", "paid", "closed"
	Code       string   `json:"code"`  // text of a QR code
	Scanned    bool     `json:"scanned"`
	Refunds    []Refund `json:"refunds"`
	Notices    int      `json:"notices"` // delivered
	Acked      bool     `json:"acked"`

	NotifyURL string    `json:"-"`
	ReturnURL string    `json:"-"`
	Expire    time.Time `json:"-"`
	Added     time.Time `json:"added"`
	Ended     time.Time `json:"ended"`
}

// Refund is money on its way back.
type Refund struct {
	No        string    `json:"no"`
	ID        string    `json:"id"`
	Fen       int64     `json:"fen"`
	State     string    `json:"state"` // "success", "processing", "abnormal", "closed"
	NotifyURL string    `json:"-"`
	At        time.Time `json:"at"`
}

// Refunded is the sum of what went back, or is on its way.
func (t Trade) Refunded() (sum int64) {
	for _, r := range t.Refunds {
		if r.State != "closed" {
			sum += r.Fen
		}
	}
	return sum
}

// Find returns a refund by its number.
func (t Trade) Find(no string) (Refund, bool) {
	for _, r := range t.Refunds {
		if r.No == no {
			return r, true
		}
	}
	return Refund{}, false
}

// What is refused.
var (
	ErrAbsent  = errors.New("no such trade")
	ErrDiffers = errors.New("the same number with another content")
	ErrPaid    = errors.New("the trade is paid")
	ErrClosed  = errors.New("the trade is closed")
	ErrUnpaid  = errors.New("the trade is not paid")
	ErrExcess  = errors.New("more than was paid")
)

// Config is a till's. Protocol and Client are needed.
type Config struct {
	Title    string
	Protocol Protocol
	Client   *http.Client    // delivers notices
	Retries  []time.Duration // pauses between deliveries; nil = 1, 5, 15, 30, 60 s
	Now      func() time.Time
	Log      *slog.Logger
}

// Till is the book. It is safe for concurrent use; Close ends its deliveries.
type Till struct {
	c    Config
	mux  *http.ServeMux
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	faults Faults
	trades map[string]*Trade // by OutTradeNo
	held   []func()          // by the fault Reorder
	turn   int
}

// New returns an empty till whose API is api.
func New(c Config, api http.Handler) *Till {
	if c.Retries == nil {
		c.Retries = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	t := &Till{c: c, mux: http.NewServeMux(), trades: map[string]*Trade{}}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.mux.HandleFunc("GET /cashier", t.cashier)
	t.mux.HandleFunc("POST /cashier/pay", t.cashierPay)
	t.mux.HandleFunc("POST /cashier/cancel", t.cashierCancel)
	t.mux.HandleFunc("/control/", t.control)
	t.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if t.Faults().Fail500 {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		api.ServeHTTP(w, r)
	})
	return t
}

// ServeHTTP answers as a provider does.
func (t *Till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f := t.Faults(); f.SlowMS > 0 && !strings.HasPrefix(r.URL.Path, "/control/") {
		if !t.wait(r.Context(), time.Duration(f.SlowMS)*time.Millisecond) {
			return
		}
	}
	t.mux.ServeHTTP(w, r)
}

func (t *Till) wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Answered breaks the connection where the fault TimeoutAfterCommit is on; an
// API calls it when it has done what was asked.
func (t *Till) Answered() {
	if t.Faults().TimeoutAfterCommit {
		panic(http.ErrAbortHandler)
	}
}

// Close ends deliveries and waits for them.
func (t *Till) Close() {
	t.stop()
	t.wg.Wait()
}

// Wait returns when no notice is under way any more. Nothing may be paid
// meanwhile.
func (t *Till) Wait() { t.wg.Wait() }

// Now is the till's time.
func (t *Till) Now() time.Time { return t.c.Now() }

// Faults returns what goes wrong now.
func (t *Till) Faults() Faults {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.faults
}

// SetFaults switches what goes wrong from now on. Notices held back by Reorder
// are delivered when it is switched off.
func (t *Till) SetFaults(f Faults) {
	t.mu.Lock()
	t.faults = f
	var held []func()
	if !f.Reorder {
		held, t.held = t.held, nil
	}
	t.mu.Unlock()
	t.run(held)
}

// Second tells which of two keys signs what is said next.
func (t *Till) Second() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	return t.faults.Key == "second" || t.faults.Key == "grey" && t.turn%2 == 0
}

// Trades returns copies of all trades, oldest first.
func (t *Till) Trades() []Trade {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Trade, 0, len(t.trades))
	for _, tr := range t.trades {
		all = append(all, *tr)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].TradeNo < all[j].TradeNo })
	return all
}

// Billed returns trades as a bill tells them: the fault Bill is planted on the
// first that was paid, or on all refunds.
func (t *Till) Billed() []Trade {
	all, fault := t.Trades(), t.Faults().Bill
	for i := range all {
		if fault == "no_refund" {
			all[i].Refunds = nil
			continue
		}
		if all[i].State != "paid" {
			continue
		}
		switch fault {
		case "missing":
			return append(all[:i:i], all[i+1:]...)
		case "double":
			again := all[i]
			again.Refunds = nil
			return append(all, again)
		case "amount":
			all[i].Fen++
			return all
		}
	}
	return all
}

// Spoil makes a file the one that the fault Bill says: with a byte that is another,
// or cut in half.
func (t *Till) Spoil(file []byte) []byte {
	switch t.Faults().Bill {
	case "damaged":
		file = append([]byte(nil), file...)
		file[len(file)/2] ^= 1
	case "truncated":
		file = file[:len(file)/2]
	}
	return file
}

// Open returns the trade of a number, making it when it is new.
func (t *Till) Open(n Trade) (Trade, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, known := t.trades[n.OutTradeNo]; known {
		switch {
		case old.Fen != n.Fen:
			return *old, ErrDiffers
		case old.State == "paid":
			return *old, ErrPaid
		case old.State == "closed":
			return *old, ErrClosed
		}
		return *old, nil
	}
	n.TradeNo, n.State, n.Added = t.number(), "waiting", t.c.Now()
	t.trades[n.OutTradeNo] = &n
	return n, nil
}

// Get returns a trade by the merchant's number.
func (t *Till) Get(outTradeNo string) (Trade, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, ok := t.trades[outTradeNo]
	if !ok {
		return Trade{}, false
	}
	return *tr, true
}

// Scan notes that the payer's telephone has seen the code.
func (t *Till) Scan(outTradeNo string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr, ok := t.trades[outTradeNo]; ok {
		tr.Scanned = true
	}
}

// Pay pays a trade as a customer does, and starts its notices. A paid trade
// stays as it is.
func (t *Till) Pay(outTradeNo string) (Trade, error) {
	t.mu.Lock()
	tr, ok := t.trades[outTradeNo]
	if !ok || tr.State == "closed" {
		t.mu.Unlock()
		return Trade{}, ErrAbsent
	}
	fresh := tr.State != "paid"
	if fresh {
		tr.State, tr.Scanned, tr.Ended = "paid", true, t.c.Now()
	}
	paid := *tr
	t.mu.Unlock()
	if fresh {
		t.Notify(outTradeNo)
	}
	return paid, nil
}

// End closes a trade that is not paid.
func (t *Till) End(outTradeNo string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, ok := t.trades[outTradeNo]
	switch {
	case !ok:
		return ErrAbsent
	case tr.State == "paid":
		return ErrPaid
	}
	tr.State, tr.Ended = "closed", t.c.Now()
	return nil
}

// PayBack refunds a part of a trade, once for each number, and says whether this
// call moved the money.
func (t *Till) PayBack(outTradeNo string, n Refund) (Refund, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr, ok := t.trades[outTradeNo]
	switch {
	case !ok:
		return n, false, ErrAbsent
	case tr.State != "paid":
		return n, false, ErrUnpaid
	}
	if old, known := tr.Find(n.No); known {
		if old.Fen != n.Fen {
			return old, false, ErrDiffers
		}
		return old, false, nil
	}
	if n.Fen <= 0 || tr.Refunded()+n.Fen > tr.Fen {
		return n, false, ErrExcess
	}
	n.ID, n.State, n.At = t.number(), "success", t.c.Now()
	if s := t.faults.RefundState; s != "" {
		n.State = s
	}
	tr.Refunds = append(tr.Refunds, n)
	return n, n.State == "success", nil
}

// Settle ends a refund that was on its way.
func (t *Till) Settle(outTradeNo, no, state string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr, ok := t.trades[outTradeNo]; ok {
		for i := range tr.Refunds {
			if tr.Refunds[i].No == no {
				tr.Refunds[i].State = state
			}
		}
	}
}

// number is time and randomness, as providers make them.
func (t *Till) number() string {
	b := make([]byte, 7)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return t.c.Now().UTC().Format("20060102150405") + hex.EncodeToString(b)
}
