package payment_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// clerk is a member of the staff who proved themselves just now.
func (r *rig) clerk() account.Principal {
	return account.Principal{
		Account: account.ID(id.New("acc")), Subject: id.NewHandle(), Staff: true, Permissions: []string{"payment.read", account.PermPaymentBook},
		StepUpUntil: r.Clock.Now().Add(10 * time.Minute),
	}
}

func (r *rig) given(p account.Principal, kind payment.GrantKind, minor int64, lasts time.Duration) payment.Grant {
	r.T.Helper()
	req := payment.GrantRequest{Kind: kind, Account: p.Account, Amount: cny(minor), Reason: "outage of 3 November"}
	if kind == payment.GiftGrant {
		req.ExpiresAt = r.Clock.Now().Add(lasts)
	}
	g, err := r.Pay.Give(bg, r.clerk(), req)
	if err != nil || g.State != payment.Booked {
		r.T.Fatalf("giving: %+v, %v", g, err)
	}
	return g
}

func TestAGiftIsSpentFirstAndEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		r.toppedUp(p, o.Total.Minor)
		r.given(p, payment.GiftGrant, 20_00, 48*time.Hour)
		r.given(p, payment.GiftGrant, 10_00, 24*time.Hour)
		r.given(p, payment.GoodwillGrant, 5_00, 0)
		if got := r.purse(p); got.Gift != cny(30_00) || got.Paid != cny(o.Total.Minor+5_00) {
			t.Fatalf("purse: got %+v", got)
		}
		if _, err := r.Pay.PayFromWallet(bg, p, o.ID); err != nil {
			t.Fatal(err)
		}
		if got := r.purse(p); got.Gift.Minor != 0 || got.Paid != cny(35_00) {
			t.Errorf("after the order: got %+v", got)
		}
		r.given(p, payment.GiftGrant, 7_00, time.Hour)
		r.Clock.Advance(2 * time.Hour)
		if got := r.purse(p); got.Gift.Minor != 0 {
			t.Errorf("a gift that is over can be spent: %+v", got)
		}
		r.tick(2 * time.Hour)
		if got := r.balance(ledger.Gift(string(p.Account))); got != 0 {
			t.Errorf("a gift that is over is in the books: %d", got)
		}
		if got := r.balance(ledger.Promo); got != 30_00 {
			t.Errorf("cost of gifts: got %d, want what was spent", got)
		}
		r.sound()
	})
}

// tick lets the periodic jobs run.
func (r *rig) tick(d time.Duration) {
	r.T.Helper()
	r.Clock.Advance(d)
	err := r.DB.InTx(bg, func(tx *db.Tx) error { return r.Queue.EnqueueTx(bg, tx, job.Job{Kind: "payment.gifts"}) })
	if err != nil {
		r.T.Fatal(err)
	}
	r.Settle()
}

func TestAGiftThatEndsWhileItIsHeldEndsOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		g := r.given(p, payment.GiftGrant, 30_00, 10*time.Minute)
		r.given(p, payment.GiftGrant, 1_00, 24*time.Hour)
		a, _, err := r.Pay.StartMixed(bg, p, o.ID, method)
		if err != nil || a.Hold.Gift != cny(31_00) {
			t.Fatalf("got %+v, %v", a.Hold, err)
		}
		r.tick(15 * time.Minute) // over, but held
		if got := r.balance(ledger.Hold(o.ID)); got != 31_00 {
			t.Errorf("hold: got %d", got)
		}
		r.tick(16 * time.Minute) // the attempt ends, the order too
		r.tick(2 * time.Hour)
		if got := r.purse(p); got.Gift != cny(1_00) || r.balance(ledger.Gift(string(p.Account))) != 1_00 {
			t.Errorf("got %+v, books %d", got, r.balance(ledger.Gift(string(p.Account))))
		}
		all, err := r.Pay.Grants(bg, staff, "", 10)
		if err != nil || len(all) != 2 || all[1].ID != g.ID || all[1].Left.Minor != 0 {
			t.Errorf("grants: got %+v, %v", all, err)
		}
		r.sound()
	})
}

func TestWhatIsMoreThanOneMayGiveWaitsForAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, first, second := ordertest.Customer(), r.clerk(), r.clerk()
		ask := func(minor int64) payment.Grant {
			g, err := r.Pay.Give(bg, first, payment.GrantRequest{Kind: payment.GoodwillGrant, Account: p.Account, Amount: cny(minor), Reason: "why"})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		if g := ask(paymenttest.FourEyes - 1); g.State != payment.Booked {
			t.Errorf("below the limit: got %s", g.State)
		}
		g := ask(2) // in slices
		if g.State != payment.Waiting || r.purse(p).Paid != cny(paymenttest.FourEyes-1) {
			t.Errorf("above it in slices: got %s, %s", g.State, r.purse(p).Paid)
		}
		if _, err := r.Pay.DecideGrant(bg, first, g.ID, payment.Book); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("by the same person: got %v", err)
		}
		owner := second
		owner.Subject = id.Handle("owner-of-" + p.Account)
		if _, err := r.Pay.DecideGrant(bg, owner, g.ID, payment.Book); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("by who gets it: got %v", err)
		}
		if _, err := r.Pay.Give(bg, owner, payment.GrantRequest{Kind: payment.GoodwillGrant, Account: p.Account, Amount: cny(1), Reason: "why"}); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("to oneself: got %v", err)
		}
		late := second
		late.StepUpUntil = r.Clock.Now()
		if _, err := r.Pay.DecideGrant(bg, late, g.ID, payment.Book); !errors.Is(err, account.ErrStepUp) {
			t.Errorf("without a fresh proof: got %v", err)
		}
		if _, err := r.Pay.DecideGrant(bg, staff, g.ID, payment.Book); !errors.Is(err, payment.ErrStaffOnly) {
			t.Errorf("without the permission: got %v", err)
		}
		var wg sync.WaitGroup
		var booked atomic.Int64
		for range 50 {
			wg.Go(func() {
				err := untilDecided(func() error { _, err := r.Pay.DecideGrant(bg, second, g.ID, payment.Book); return err })
				if err == nil {
					booked.Add(1)
				} else if !errors.Is(err, payment.ErrTransition) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if booked.Load() != 1 || r.purse(p).Paid != cny(paymenttest.FourEyes+1) {
			t.Errorf("booked %d times, %s", booked.Load(), r.purse(p).Paid)
		}
		no, err := r.Pay.DecideGrant(bg, second, ask(600_00).ID, payment.Refuse)
		if err != nil || no.State != payment.Refused || r.purse(p).Paid != cny(paymenttest.FourEyes+1) {
			t.Errorf("refused: got %+v, %v", no, err)
		}
		if _, err := r.Pay.DecideGrant(bg, second, no.ID, payment.Book); !errors.Is(err, payment.ErrTransition) {
			t.Errorf("after a refusal: got %v", err)
		}
		r.sound()
	})
}

func TestAGrantSaysWhatAndWhy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		good := payment.GrantRequest{Kind: payment.GiftGrant, Account: "acc_1", Amount: cny(1), ExpiresAt: r.Clock.Now().Add(1), Reason: "why"}
		for name, spoil := range map[string]func(*payment.GrantRequest){
			"no amount":       func(g *payment.GrantRequest) { g.Amount.Minor = 0 },
			"less than none":  func(g *payment.GrantRequest) { g.Amount.Minor = -5 },
			"a currency":      func(g *payment.GrantRequest) { g.Amount.Cur = money.USD },
			"over already":    func(g *payment.GrantRequest) { g.ExpiresAt = r.Clock.Now() },
			"no reason":       func(g *payment.GrantRequest) { g.Reason = " " },
			"no kind":         func(g *payment.GrantRequest) { g.Kind = "cash" },
			"goodwill's end ": func(g *payment.GrantRequest) { g.Kind = payment.GoodwillGrant },
		} {
			req := good
			spoil(&req)
			if _, err := r.Pay.Give(bg, r.clerk(), req); !errors.Is(err, payment.ErrGrant) {
				t.Errorf("%s: got %v, want ErrGrant", name, err)
			}
		}
	})
}

const bank = "bank.transfer"

func (r *rig) transfer(a payment.Attempt, reference string, minor int64) payment.TransferRequest {
	return payment.TransferRequest{
		Attempt: a.No, BankReference: reference, Amount: cny(minor), ReceivedOn: r.Clock.Now(), Proof: "statement 11/3", Reason: "seen at the bank",
	}
}

func TestABankTransferPaysAnOrderByTheOneDoor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		a, _, err := r.Pay.Start(bg, p, o.ID, bank)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Order(o.ID).ExpiresAt; !got.Equal(r.Clock.Now().Add(72*time.Hour)) || !a.ExpireAt.Equal(got) {
			t.Errorf("the order waits until %v, the attempt until %v", got, a.ExpireAt)
		}
		r.Clock.Advance(49 * time.Hour) // longer than an order waits for a card
		r.Settle()
		if got := r.Order(o.ID).State; got != order.PendingPayment {
			t.Fatalf("while the bank works: order %s", got)
		}
		all, err := r.Pay.Awaited(bg, staff, 10)
		if err != nil || len(all) != 1 || all[0].No != a.No {
			t.Errorf("awaited: got %+v, %v", all, err)
		}
		done, err := r.Pay.EnterTransfer(bg, r.clerk(), r.transfer(a, "B1", o.Total.Minor))
		if err != nil || done.State != payment.Booked || done.Result != payment.Applied || r.Order(o.ID).State != order.Paid {
			t.Fatalf("got %+v, %v, order %s", done, err, r.Order(o.ID).State)
		}
		if r.balance(ledger.Bank) != o.Total.Minor || r.balance(ledger.Deferred(o.Lines[0].ID)) != o.Total.Minor || r.balance(ledger.Gateway("bank")) != 0 {
			t.Errorf("bank %d, deferred %d", r.balance(ledger.Bank), r.balance(ledger.Deferred(o.Lines[0].ID)))
		}
		if _, err := r.Pay.EnterTransfer(bg, r.clerk(), r.transfer(a, "B1", o.Total.Minor)); !errors.Is(err, payment.ErrBooked) {
			t.Errorf("the same entry of the bank: got %v", err)
		}
		r.sound()
	})
}

func TestABankTransferThatIsNotWhatWasAsked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		a, _, err := r.Pay.Start(bg, p, o.ID, bank)
		if err != nil {
			t.Fatal(err)
		}
		short, err := r.Pay.EnterTransfer(bg, r.clerk(), r.transfer(a, "B1", o.Total.Minor-1))
		if err != nil || short.Result != payment.Mismatch || r.balance(ledger.Suspense) != o.Total.Minor-1 || r.Order(o.ID).State != order.PendingPayment {
			t.Errorf("one fen short: got %+v, %v, suspense %d", short, err, r.balance(ledger.Suspense))
		}
		card, _, err := r.Pay.Start(bg, p, r.Place(p).ID, method)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Pay.EnterTransfer(bg, r.clerk(), r.transfer(card, "B2", card.Amount.Minor)); !errors.Is(err, payment.ErrNotFound) {
			t.Errorf("for a payment at a provider: got %v", err)
		}
		mine := r.clerk()
		mine.Subject = p.Subject
		if _, err := r.Pay.EnterTransfer(bg, mine, r.transfer(a, "B3", 1)); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("of one's own: got %v", err)
		}
		for name, spoil := range map[string]func(*payment.TransferRequest){
			"no reference": func(q *payment.TransferRequest) { q.BankReference = "" },
			"two words":    func(q *payment.TransferRequest) { q.BankReference = "a b" },
			"no money":     func(q *payment.TransferRequest) { q.Amount.Minor = 0 },
			"tomorrow":     func(q *payment.TransferRequest) { q.ReceivedOn = r.Clock.Now().Add(time.Hour) },
			"no proof":     func(q *payment.TransferRequest) { q.Proof = "" },
			"no reason":    func(q *payment.TransferRequest) { q.Reason = "" },
		} {
			q := r.transfer(a, "B9", 5)
			spoil(&q)
			if _, err := r.Pay.EnterTransfer(bg, r.clerk(), q); !errors.Is(err, payment.ErrTransfer) {
				t.Errorf("%s: got %v, want ErrTransfer", name, err)
			}
		}
		r.sound()
	})
}

func TestALargeTransferNeedsTwoAndIsBookedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, first, second := ordertest.Customer(), r.clerk(), r.clerk()
		a, _, err := r.Pay.TopUp(bg, p, bank, cny(800_00))
		if err != nil {
			t.Fatal(err)
		}
		w, err := r.Pay.EnterTransfer(bg, first, r.transfer(a, "B1", 800_00))
		if err != nil || w.State != payment.Waiting || r.purse(p).Paid.Minor != 0 {
			t.Fatalf("got %+v, %v", w, err)
		}
		if _, err := r.Pay.EnterTransfer(bg, second, r.transfer(a, "B1", 800_00)); !errors.Is(err, payment.ErrBooked) {
			t.Errorf("entered twice: got %v", err)
		}
		if _, err := r.Pay.DecideTransfer(bg, first, w.ID, payment.Book); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("by the same person: got %v", err)
		}
		var wg sync.WaitGroup
		var booked atomic.Int64
		for range 50 {
			wg.Go(func() {
				err := untilDecided(func() error { _, err := r.Pay.DecideTransfer(bg, second, w.ID, payment.Book); return err })
				if err == nil {
					booked.Add(1)
				} else if !errors.Is(err, payment.ErrTransition) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if booked.Load() != 1 || r.purse(p).Paid != cny(800_00) || r.balance(ledger.Bank) != 800_00 {
			t.Errorf("booked %d times, %s", booked.Load(), r.purse(p).Paid)
		}
		all, err := r.Pay.Transfers(bg, staff, "", 10)
		if err != nil || len(all) != 1 || all[0].State != payment.Booked || all[0].DecidedBy != second.Subject {
			t.Errorf("got %+v, %v", all, err)
		}
		r.sound()
	})
}

func TestDecisionsEndAndAreReached(t *testing.T) {
	t.Parallel()
	reached, left := map[payment.Decision]bool{payment.Waiting: true}, map[payment.Decision]bool{}
	for _, tr := range payment.Decisions {
		reached[tr.To] = reached[tr.To] || reached[tr.From]
		left[tr.From] = true
	}
	for s, final := range map[payment.Decision]bool{payment.Waiting: false, payment.Booked: true, payment.Refused: true} {
		if !reached[s] || left[s] == final {
			t.Errorf("%s: reached %v, has exits %v", s, reached[s], left[s])
		}
	}
}

func TestTheGiftsOfAnAccountThatEndsGoBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, other := ordertest.Customer(), ordertest.Customer()
		for _, c := range []account.Principal{p, p, other} {
			r.given(c, payment.GiftGrant, 10_00, 24*time.Hour)
		}
		for range 2 {
			if err := r.Pay.ForfeitGifts(bg, p.Account); err != nil {
				t.Fatal(err)
			}
		}
		if r.balance(ledger.Gift(string(p.Account))) != 0 || r.purse(p).Gift.Minor != 0 || r.purse(other).Gift != cny(10_00) || r.balance(ledger.Promo) != 10_00 {
			t.Errorf("got %+v, the other %+v, promo %d", r.purse(p), r.purse(other), r.balance(ledger.Promo))
		}
		r.sound()
	})
}
