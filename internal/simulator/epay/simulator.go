// Package epay is an honest stand-in for a payment gateway of the 易支付 family,
// version 1: real signatures, a cashier that a browser can use without
// JavaScript, notices that are repeated until they are acknowledged. It shares
// no code with the adapter that it is a peer of.
//
//	browser ─ form ─▶ /submit.php ─ cashier page ─▶ /cashier/pay ─ 303 ─▶ return_url
//	                                                     └─ GET notify_url, again and again until "success"
//	operator ───────▶ /api.php (act=order, orders, refund)
//	test ───────────▶ /control/faults, /control/pay, /control/notify, /control/trades
//
// What goes wrong with real gateways can be switched on at /control/faults.
// It is for demos and tests on loopback, never for money.
package epay

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

// Config is a simulator's account. PID, Key and Client are needed.
type Config struct {
	PID     string
	Key     string
	AmpKey  bool            // sign text + "&key=" + KEY instead of text + KEY
	Client  *http.Client    // delivers notices
	Retries []time.Duration // pauses between deliveries; nil = 1, 5, 15, 30, 60 s
	Now     func() time.Time
	Log     *slog.Logger
}

// Faults are what goes wrong. The zero value is an honest, healthy gateway.
type Faults struct {
	SlowMS             int    `json:"slow_ms"`              // every answer waits
	Fail500            bool   `json:"fail_500"`             // api.php answers 500 and does nothing
	TimeoutAfterCommit bool   `json:"timeout_after_commit"` // what was asked is done, the connection breaks without an answer
	Duplicates         int    `json:"duplicates"`           // each notice is delivered this many times more, at once
	Reorder            bool   `json:"reorder"`              // a notice waits until the next trade's has been delivered
	WrongAmount        bool   `json:"wrong_amount"`         // notices bear one fen more than was asked
	BadSignature       bool   `json:"bad_signature"`
	ForeignPID         bool   `json:"foreign_pid"` // notices are of another merchant, well signed
	LostNotice         bool   `json:"lost_notice"` // no notice is delivered
	Bill               string `json:"bill"`        // what the list of trades tells wrong: "missing", "double", "amount", "truncated"
}

// Trade is a payment at the gateway.
type Trade struct {
	TradeNo    string `json:"trade_no"`
	OutTradeNo string `json:"out_trade_no"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Money      string `json:"money"`
	Paid       bool   `json:"paid"`
	Refunded   string `json:"refunded,omitempty"`
	Notices    int    `json:"notices"` // delivered
	Acked      bool   `json:"acked"`   // the merchant answered "success"

	notifyURL, returnURL string
	added, ended         time.Time
}

// Simulator is a gateway. It is an http.Handler, safe for concurrent use; Close
// ends its deliveries.
type Simulator struct {
	c    Config
	mux  *http.ServeMux
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	faults Faults
	trades map[string]*Trade // by out_trade_no
	held   []delivery        // by the fault Reorder
}

// New returns a running simulator.
func New(c Config) *Simulator {
	if c.Retries == nil {
		c.Retries = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Simulator{c: c, mux: http.NewServeMux(), trades: map[string]*Trade{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.mux.HandleFunc("/submit.php", s.submit)
	s.mux.HandleFunc("POST /cashier/pay", s.cashierPay)
	s.mux.HandleFunc("POST /cashier/cancel", s.cashierCancel)
	s.mux.HandleFunc("/api.php", s.api)
	s.mux.HandleFunc("/control/", s.control)
	return s
}

// ServeHTTP answers as a gateway does.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.Faults()
	if f.SlowMS > 0 && !strings.HasPrefix(r.URL.Path, "/control/") {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Duration(f.SlowMS) * time.Millisecond):
		}
	}
	s.mux.ServeHTTP(w, r)
}

// Close ends deliveries and waits for them.
func (s *Simulator) Close() {
	s.stop()
	s.wg.Wait()
}

// Wait returns when no notice is under way any more: acknowledged, or its
// retries used up. Nothing may be paid meanwhile.
func (s *Simulator) Wait() { s.wg.Wait() }

// Faults returns what goes wrong now.
func (s *Simulator) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// SetFaults switches what goes wrong from now on. Notices held back by Reorder
// are delivered when it is switched off.
func (s *Simulator) SetFaults(f Faults) {
	s.mu.Lock()
	s.faults = f
	var held []delivery
	if !f.Reorder {
		held, s.held = s.held, nil
	}
	s.mu.Unlock()
	s.deliver(held)
}

// Trades returns copies of all trades, oldest first.
func (s *Simulator) Trades() []Trade {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Trade, 0, len(s.trades))
	for _, t := range s.trades {
		all = append(all, *t)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].TradeNo < all[j].TradeNo })
	return all
}

// Sign returns the protocol's signature over the parameters.
func (s *Simulator) Sign(params map[string]string) string {
	names := make([]string, 0, len(params))
	for name, v := range params {
		if v != "" && name != "sign" && name != "sign_type" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name + "=" + params[name]
	}
	text := strings.Join(parts, "&")
	if s.c.AmpKey {
		text += "&key="
	}
	sum := md5.Sum([]byte(text + s.c.Key))
	return hex.EncodeToString(sum[:])
}

func (s *Simulator) signed(params map[string]string) bool {
	return subtle.ConstantTimeCompare([]byte(s.Sign(params)), []byte(strings.ToLower(params["sign"]))) == 1
}

// newTradeNo is time and randomness, as gateways make them.
func (s *Simulator) newTradeNo() string {
	b := make([]byte, 5)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return s.c.Now().UTC().Format("20060102150405") + hex.EncodeToString(b)
}
