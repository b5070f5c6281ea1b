package payment

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's tables.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "payment", Files: sub}
}

// Deps is what the module needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Queue    *job.Queue
	Log      *slog.Logger
	Audit    Audit
	Ledger   *ledger.Service
	Orders   *order.Service
	Accounts []GatewayAccount
	BaseURL  string // https://HOST of this installation, without a path
	Title    string // constant subject of every payment, at most 127 bytes, no personal data
	Services Services
	Refunds  RefundRules
	Wallet   WalletRules
	Owners   Owners
	Invoices Invoices
}

// WalletRules are the operator's choices about wallets. Amounts are minor units.
type WalletRules struct {
	NoTopUp  bool  // nobody pays in, and late money goes to suspense instead
	TopUpMin int64 // of one top-up; 0 = 100
	TopUpMax int64 // likewise; 0 = 5 000 000
	LowBelow int64 // the customer is told when less is left; 0 = never
	FourEyes int64 // staff give and book more than this only by two
}

func (r WalletRules) withDefaults() WalletRules {
	if r.TopUpMin == 0 {
		r.TopUpMin = 1_00
	}
	if r.TopUpMax == 0 {
		r.TopUpMax = 50_000_00
	}
	return r
}

// Service starts payments and takes facts.
type Service struct {
	d       Deps
	byID    map[string]GatewayAccount
	byToken map[string]GatewayAccount
}

const jobQuery = "payment.query"

// New returns the module and registers its jobs. ErrSetup names a gateway
// account that cannot work.
func New(d Deps) (*Service, error) {
	d.Wallet = d.Wallet.withDefaults()
	s := &Service{d: d, byID: map[string]GatewayAccount{}, byToken: map[string]GatewayAccount{}}
	for _, g := range d.Accounts {
		if err := s.addAccount(g); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSetup, err)
		}
	}
	if u, err := url.Parse(d.BaseURL); err != nil || u.Host == "" || u.Path != "" || len(d.Title) > 127 || d.Title == "" {
		return nil, fmt.Errorf("%w: base URL or title", ErrSetup)
	}
	job.On(d.Queue, jobQuery, func(ctx context.Context, q queryJob) error { return s.queryOne(ctx, q.Attempt) })
	job.On(d.Queue, jobRefund, func(ctx context.Context, r refundJob) error { return s.runRefund(ctx, r.Request) })
	job.Subscribe(d.Queue, order.TopicCancelled, "payment.close", s.closeOf)
	job.Subscribe(d.Queue, order.TopicExpired, "payment.close", s.closeOf)
	d.Queue.Every("payment.rematch", rematchEvery, s.rematch)
	d.Queue.Every("payment.keys", 12*time.Hour, s.refreshKeys)
	d.Queue.Every("payment.gifts", giftsEvery, s.endGifts)
	d.Queue.Every("payment.bills", billsEvery, s.readBills)
	d.Queue.Every("payment.prove", 24*time.Hour, s.nightly)
	return s, nil
}

func (s *Service) addAccount(g GatewayAccount) error {
	if g.ID == "" || strings.ContainsAny(g.ID, ": ") || s.byID[g.ID].ID != "" || g.Gateway == nil || len(g.Methods) == 0 {
		return fmt.Errorf("gateway account %q", g.ID)
	}
	if len(g.Token) < 26 || url.PathEscape(g.Token) != g.Token || g.MerchantID == "" {
		return fmt.Errorf("gateway account %q: token or merchant id", g.ID)
	}
	if g.Min < 1 || g.Max < g.Min {
		return fmt.Errorf("gateway account %q: limits", g.ID)
	}
	s.byID[g.ID], s.byToken[g.Token] = g, g
	if g.OldToken != "" {
		s.byToken[g.OldToken] = g
	}
	return nil
}

// Methods returns the ways to pay, in configured order.
func (s *Service) Methods() []Method {
	var all []Method
	for _, g := range s.d.Accounts {
		for _, m := range g.Methods {
			all = append(all, Method{
				ID: g.ID + "." + m, Gateway: g.ID, Type: m, Kind: g.Gateway.Kind(),
				Min: money.New(g.Min, g.Currency), Max: money.New(g.Max, g.Currency),
			})
		}
	}
	return all
}

func (s *Service) method(methodID string) (GatewayAccount, string, error) {
	i := strings.LastIndex(methodID, ".")
	if i < 0 {
		return GatewayAccount{}, "", ErrMethod
	}
	g, ok := s.byID[methodID[:i]]
	if !ok || !slices.Contains(g.Methods, methodID[i+1:]) {
		return GatewayAccount{}, "", ErrMethod
	}
	return g, methodID[i+1:], nil
}

// List returns the attempts of an order of the account, newest first;
// order.ErrNotFound for another's.
func (s *Service) List(ctx context.Context, owner account.ID, orderID string) ([]Attempt, error) {
	if _, err := s.d.Orders.Get(ctx, owner, orderID); err != nil {
		return nil, err
	}
	return attemptsOf(ctx, s.d.DB, orderID)
}

// Get returns an attempt of the account; ErrNotFound for another's.
func (s *Service) Get(ctx context.Context, owner account.ID, no string) (Attempt, error) {
	a, err := getAttempt(ctx, s.d.DB, no)
	if err == nil && a.Account != owner {
		return Attempt{}, ErrNotFound
	}
	return a, err
}

// ListAll returns attempts of all accounts, newest first, older than the one
// numbered before (empty = from the newest), for staff with payment.read.
func (s *Service) ListAll(ctx context.Context, p account.Principal, before string, limit int) ([]Attempt, error) {
	if !p.Can("payment.read") {
		return nil, ErrStaffOnly
	}
	return listAttempts(ctx, s.d.DB, before, limit)
}

// Receipts returns the receipts of an attempt, for staff with payment.read.
func (s *Service) Receipts(ctx context.Context, p account.Principal, attempt string) ([]Receipt, error) {
	if !p.Can("payment.read") {
		return nil, ErrStaffOnly
	}
	return receiptsOf(ctx, s.d.DB, attempt)
}

// InSuspense lists receipts that belong to nobody yet, newest first, older than
// the one with id before (empty = from the newest), for staff with payment.read.
func (s *Service) InSuspense(ctx context.Context, p account.Principal, before string, limit int) ([]Receipt, error) {
	if !p.Can("payment.read") {
		return nil, ErrStaffOnly
	}
	return receiptsInSuspense(ctx, s.d.DB, before, limit)
}

// asset is the account of the books where money of a gateway account lies.
func (g GatewayAccount) asset() ledger.Code {
	if g.Asset != "" {
		return g.Asset
	}
	return ledger.Gateway(g.ID)
}

// Wallet returns what an account has paid in and not spent.
func (s *Service) Wallet(ctx context.Context, owner account.ID, cur money.Currency) (money.Money, error) {
	return s.d.Ledger.Balance(ctx, ledger.Wallet(string(owner)), cur)
}
