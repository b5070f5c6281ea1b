package api

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Wallet is what a customer has paid in or was given, and has not spent.
type Wallet struct {
	Balance Money        `json:"balance" doc:"Paid in"`
	Gift    Money        `json:"gift" doc:"Given; spent first, never paid out"`
	Held    Money        `json:"held" doc:"Waits for the rest of mixed payments"`
	Gifts   []Gift       `json:"gifts" nullable:"false" doc:"What is left of each gift, the one that ends first first"`
	TopUp   TopUpRange   `json:"top_up"`
	Lines   []WalletLine `json:"lines" nullable:"false" doc:"The newest movements"`
}

// Gift is what is left of a gift.
type Gift struct {
	Amount    Money     `json:"amount"`
	ExpiresAt time.Time `json:"expires_at"`
}

// TopUpRange is what may be paid in at once.
type TopUpRange struct {
	Open bool  `json:"open"`
	Min  Money `json:"min"`
	Max  Money `json:"max"`
}

// WalletLine is a movement.
type WalletLine struct {
	Kind         string    `json:"kind" example:"payment"`
	Purse        string    `json:"purse" enum:"paid,gift"`
	Order        string    `json:"order,omitempty"`
	Amount       Money     `json:"amount" doc:"Positive: paid in"`
	BalanceAfter Money     `json:"balance_after" doc:"Of the same purse"`
	At           time.Time `json:"at"`
}

// TopUpRequest pays into the wallet. The amount is the only one that is taken
// from a client; it has to be in the range of the wallet.
type TopUpRequest struct {
	Method string `json:"method" maxLength:"100" example:"epay-demo.alipay"`
	Amount string `json:"amount" maxLength:"20" example:"100.00" doc:"Yuan, with at most two decimals"`
}

// BankTransfer is money that staff saw at the bank.
type BankTransfer struct {
	ID            string     `json:"id"`
	Payment       string     `json:"payment" doc:"Number of the payment that it came for"`
	BankReference string     `json:"bank_reference"`
	Amount        Money      `json:"amount"`
	ReceivedOn    string     `json:"received_on" format:"date"`
	Proof         string     `json:"proof"`
	Reason        string     `json:"reason"`
	State         string     `json:"state" enum:"waiting,booked,refused"`
	EnteredBy     string     `json:"entered_by"`
	EnteredAt     time.Time  `json:"entered_at"`
	ConfirmedBy   string     `json:"confirmed_by,omitempty"`
	DecidedAt     *time.Time `json:"decided_at,omitempty"`
	Result        string     `json:"result,omitempty" doc:"applied, or mismatch: the money is in suspense"`
}

// AwaitedTransfer is a payment whose money a person has to see at the bank.
type AwaitedTransfer struct {
	StaffPayment
	BankReference string `json:"bank_reference" doc:"What the customer writes on the transfer"`
}

// BankTransferRequest enters what was seen at the bank.
type BankTransferRequest struct {
	Payment       string `json:"payment" maxLength:"40"`
	BankReference string `json:"bank_reference" maxLength:"64" doc:"The bank's number of the entry"`
	Amount        string `json:"amount" maxLength:"20" doc:"What really came, in yuan"`
	ReceivedOn    string `json:"received_on" format:"date"`
	Proof         string `json:"proof" maxLength:"200" doc:"Where the bank's paper is kept"`
	Reason        string `json:"reason" maxLength:"200"`
}

// Grant is money that staff give to a customer.
type Grant struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind" enum:"gift,goodwill"`
	Account     string     `json:"account"`
	Amount      Money      `json:"amount"`
	Unspent     Money      `json:"unspent" doc:"Of a gift"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	Reason      string     `json:"reason"`
	State       string     `json:"state" enum:"waiting,booked,refused"`
	EnteredBy   string     `json:"entered_by"`
	EnteredAt   time.Time  `json:"entered_at"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
}

// GrantRequest gives money to a customer.
type GrantRequest struct {
	Kind      string `json:"kind" enum:"gift,goodwill"`
	Account   string `json:"account" maxLength:"40"`
	Amount    string `json:"amount" maxLength:"20" doc:"Yuan"`
	ExpiresOn string `json:"expires_on,omitempty" format:"date" doc:"Of a gift: its last day"`
	Reason    string `json:"reason" maxLength:"200"`
}

// VerdictRequest books or refuses what waits for a second person.
type VerdictRequest struct {
	Verdict string `json:"verdict" enum:"book,refuse"`
}

type verdictInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body VerdictRequest
}

// Wallets registers the operations of the wallet, of bank transfers and of what
// staff give.
func Wallets(a *API, s *payment.Service, books *ledger.Service) {
	Get(a, "/wallet", Operation{ID: "get-wallet", Summary: "Your wallet", Tag: "Payments", Access: Customer},
		func(ctx context.Context, _ *struct{}) (*Body[Wallet], error) { return wallet(ctx, s, books) })
	Get(a, "/wallet/top-ups", Operation{ID: "list-top-ups", Summary: "Your newest top-ups", Tag: "Payments", Access: Customer},
		func(ctx context.Context, _ *struct{}) (*Body[List[Payment]], error) {
			all, err := s.TopUps(ctx, Who(ctx).Account, 50)
			return &Body[List[Payment]]{List[Payment]{Items: Items(all, toPayment)}}, err
		})
	Post(a, "/wallet/top-ups", Operation{
		ID: "top-up", Summary: "Pay into your wallet", Tag: "Payments", Access: Customer, Status: 201,
		Detail: "Nothing but the provider's own message brings the money in.",
	},
		func(ctx context.Context, in *struct{ Body TopUpRequest }) (*Body[PaymentStart], error) {
			amount, err := money.Parse(in.Body.Amount, money.CNY)
			if err != nil {
				return nil, err
			}
			p, next, err := s.TopUp(ctx, Who(ctx), in.Body.Method, amount)
			if err != nil {
				return nil, err
			}
			return &Body[PaymentStart]{toStart(p, next)}, nil
		})
	Post(a, "/orders/{id}/wallet-payment", Operation{
		ID: "pay-from-wallet", Summary: "Pay an order whole from your wallet", Tag: "Payments", Access: Customer,
		Detail: "What was given is spent first. Once paid it answers with the order as it is.",
	},
		func(ctx context.Context, in *orderID) (*Body[Order], error) {
			o, err := s.PayFromWallet(ctx, Who(ctx), in.ID)
			return &Body[Order]{toOrder(o)}, err
		})
	transfers(a, s)
	grants(a, s)
}

func transfers(a *API, s *payment.Service) {
	Get(a, "/admin/awaited-transfers", Operation{ID: "admin-list-awaited-transfers", Summary: "Payments that wait for a bank transfer", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, _ *struct{}) (*Body[List[AwaitedTransfer]], error) {
			all, err := s.Awaited(ctx, Who(ctx), 100)
			return &Body[List[AwaitedTransfer]]{List[AwaitedTransfer]{Items: Items(all, func(p payment.Attempt) AwaitedTransfer {
				return AwaitedTransfer{toStaffPayment(p), payment.Reference(p.No)}
			})}}, err
		})
	Get(a, "/admin/bank-transfers", Operation{ID: "admin-list-bank-transfers", Summary: "Bank transfers that staff entered, newest first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[BankTransfer]], error) {
			all, err := s.Transfers(ctx, Who(ctx), in.Cursor, min(in.Limit, 100))
			next := nextCursor(all, min(in.Limit, 100), func(t payment.BankTransfer) string { return t.ID })
			return &Body[List[BankTransfer]]{List[BankTransfer]{Items(all, toTransfer), next}}, err
		})
	Post(a, "/admin/bank-transfers", Operation{
		ID: "admin-enter-bank-transfer", Summary: "Enter money that came by a bank transfer", Tag: "Staff", Access: Staff(account.PermPaymentBook), Status: 201,
		Detail: "It pays the order, or goes to the wallet or into suspense, as any payment does. More than one person may book alone waits for another.",
	},
		func(ctx context.Context, in *struct{ Body BankTransferRequest }) (*Body[BankTransfer], error) {
			amount, err := money.Parse(in.Body.Amount, money.CNY)
			if err != nil {
				return nil, err
			}
			day, err := civil.ParseDay(in.Body.ReceivedOn)
			if err != nil {
				return nil, err
			}
			t, err := s.EnterTransfer(ctx, Who(ctx), payment.TransferRequest{
				Attempt: in.Body.Payment, BankReference: in.Body.BankReference, Amount: amount, ReceivedOn: day.Start(),
				Proof: in.Body.Proof, Reason: in.Body.Reason,
			})
			return &Body[BankTransfer]{toTransfer(t)}, err
		})
	Post(a, "/admin/bank-transfers/{id}/decision", Operation{ID: "admin-decide-bank-transfer", Summary: "Book or refuse a transfer that another entered", Tag: "Staff", Access: Staff(account.PermPaymentBook)},
		func(ctx context.Context, in *verdictInput) (*Body[BankTransfer], error) {
			t, err := s.DecideTransfer(ctx, Who(ctx), in.ID, payment.Verdict(in.Body.Verdict))
			return &Body[BankTransfer]{toTransfer(t)}, err
		})
}

func grants(a *API, s *payment.Service) {
	Get(a, "/admin/grants", Operation{ID: "admin-list-grants", Summary: "Gifts and goodwill, newest first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[Grant]], error) {
			all, err := s.Grants(ctx, Who(ctx), in.Cursor, min(in.Limit, 100))
			next := nextCursor(all, min(in.Limit, 100), func(g payment.Grant) string { return g.ID })
			return &Body[List[Grant]]{List[Grant]{Items(all, toGrant), next}}, err
		})
	Post(a, "/admin/grants", Operation{
		ID: "admin-give", Summary: "Give a customer money", Tag: "Staff", Access: Staff(account.PermPaymentBook), Status: 201,
		Detail: "A gift ends, is spent first and is never paid out; goodwill is the customer's as if paid in. More than one person may give alone waits for another.",
	},
		func(ctx context.Context, in *struct{ Body GrantRequest }) (*Body[Grant], error) {
			amount, err := money.Parse(in.Body.Amount, money.CNY)
			if err != nil {
				return nil, err
			}
			r := payment.GrantRequest{
				Kind: payment.GrantKind(in.Body.Kind), Account: account.ID(in.Body.Account), Amount: amount, Reason: in.Body.Reason,
			}
			if in.Body.ExpiresOn != "" {
				day, err := civil.ParseDay(in.Body.ExpiresOn)
				if err != nil {
					return nil, err
				}
				r.ExpiresAt = day.End()
			}
			g, err := s.Give(ctx, Who(ctx), r)
			return &Body[Grant]{toGrant(g)}, err
		})
	Post(a, "/admin/grants/{id}/decision", Operation{ID: "admin-decide-grant", Summary: "Book or refuse what another wants to give", Tag: "Staff", Access: Staff(account.PermPaymentBook)},
		func(ctx context.Context, in *verdictInput) (*Body[Grant], error) {
			g, err := s.DecideGrant(ctx, Who(ctx), in.ID, payment.Verdict(in.Body.Verdict))
			return &Body[Grant]{toGrant(g)}, err
		})
}

// walletLines is how many of the newest movements a wallet shows.
const walletLines = 50

func wallet(ctx context.Context, s *payment.Service, books *ledger.Service) (*Body[Wallet], error) {
	owner := Who(ctx).Account
	purse, err := s.Purse(ctx, owner, money.CNY)
	if err != nil {
		return nil, err
	}
	gifts, err := s.Gifts(ctx, owner)
	if err != nil {
		return nil, err
	}
	lines := []WalletLine{}
	for name, code := range map[string]ledger.Code{"paid": ledger.Wallet(string(owner)), "gift": ledger.Gift(string(owner))} {
		some, err := books.Statement(ctx, code, money.CNY, walletLines)
		if err != nil {
			return nil, err
		}
		for _, l := range some {
			lines = append(lines, toWalletLine(name, l))
		}
	}
	slices.SortFunc(lines, func(a, b WalletLine) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return len(b.Purse+b.Kind) - len(a.Purse+a.Kind)
	})
	least, most, open := s.TopUpRange(money.CNY)
	return &Body[Wallet]{Wallet{
		Balance: toMoney(purse.Paid), Gift: toMoney(purse.Gift), Held: toMoney(purse.Held), TopUp: TopUpRange{open, toMoney(least), toMoney(most)},
		Gifts: Items(gifts, func(g payment.Grant) Gift { return Gift{toMoney(g.Left), g.ExpiresAt.UTC()} }),
		Lines: lines[:min(len(lines), walletLines)],
	}}, nil
}

func toWalletLine(purse string, l ledger.Line) WalletLine {
	w := WalletLine{Kind: l.Kind, Purse: purse, Amount: toMoney(l.Amount), BalanceAfter: toMoney(l.BalanceAfter), At: l.RecordedAt}
	if l.RefType == "order" {
		w.Order = l.RefID
	}
	return w
}

func toStart(p payment.Attempt, next payment.Instruction) PaymentStart {
	return PaymentStart{toPayment(p), Instruction{string(next.Kind), next.URL, next.Fields, next.QR}}
}

func toTransfer(t payment.BankTransfer) BankTransfer {
	return BankTransfer{
		ID: t.ID, Payment: t.Attempt, BankReference: t.BankReference, Amount: toMoney(t.Amount), ReceivedOn: civil.DayOf(t.ReceivedOn).String(),
		Proof: t.Proof, Reason: t.Reason, State: string(t.State), EnteredBy: string(t.EnteredBy), EnteredAt: t.EnteredAt,
		ConfirmedBy: string(t.DecidedBy), DecidedAt: toTime(t.DecidedAt), Result: string(t.Result),
	}
}

func toGrant(g payment.Grant) Grant {
	return Grant{
		ID: g.ID, Kind: string(g.Kind), Account: string(g.Account), Amount: toMoney(g.Amount), Unspent: toMoney(g.Left), ExpiresAt: toTime(g.ExpiresAt),
		Reason: g.Reason, State: string(g.State), EnteredBy: string(g.AskedBy), EnteredAt: g.AskedAt, ConfirmedBy: string(g.DecidedBy), DecidedAt: toTime(g.DecidedAt),
	}
}
