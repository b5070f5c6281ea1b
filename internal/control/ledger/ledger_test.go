package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func newService(d *db.DB) *ledger.Service {
	return ledger.New(ledger.Deps{DB: d, Clock: clock.NewFake(start)})
}

func cny(minor int64) money.Money { return money.New(minor, money.CNY) }

func entry(key string, lines ...ledger.Posting) ledger.Entry {
	return ledger.Entry{Key: key, Kind: "payment", OccurredAt: start, RefType: "attempt", RefID: key, Actor: "system", Memo: "paid", Postings: lines}
}

func post(d *db.DB, s *ledger.Service, e ledger.Entry) (j ledger.Journal, err error) {
	ctx := context.Background()
	err = d.InTx(ctx, func(tx *db.Tx) (err error) {
		j, err = s.PostTx(ctx, tx, e)
		return err
	})
	return j, err
}

func proven(t *testing.T, s *ledger.Service) ledger.Proof {
	t.Helper()
	p, err := s.Prove(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Problems) > 0 {
		t.Fatalf("the books are wrong: %v", p.Problems)
	}
	return p
}

func balance(t *testing.T, s *ledger.Service, c ledger.Code) int64 {
	t.Helper()
	m, err := s.Balance(context.Background(), c, money.CNY)
	if err != nil {
		t.Fatal(err)
	}
	return m.Minor
}

func TestAnEntryThatDoesNotBalanceIsRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t, ledger.Migrations())
	s := newService(d)
	bank, wallet := ledger.Bank, ledger.Wallet("acc_a")
	cases := map[string]struct {
		lines []ledger.Posting
		want  error
	}{
		"one line":       {[]ledger.Posting{ledger.Debit(bank, cny(1))}, ledger.ErrUnbalanced},
		"off by one":     {[]ledger.Posting{ledger.Debit(bank, cny(2)), ledger.Credit(wallet, cny(1))}, ledger.ErrUnbalanced},
		"two currencies": {[]ledger.Posting{ledger.Debit(bank, cny(1)), ledger.Credit(wallet, money.New(1, money.USD))}, ledger.ErrUnbalanced},
		"zero lines":     {[]ledger.Posting{ledger.Debit(bank, cny(0)), ledger.Credit(wallet, cny(0))}, ledger.ErrUnbalanced},
		"unknown kind":   {[]ledger.Posting{ledger.Debit("cash:box", cny(1)), ledger.Credit(wallet, cny(1))}, ledger.ErrAccount},
		"no name":        {[]ledger.Posting{ledger.Debit("asset:", cny(1)), ledger.Credit(wallet, cny(1))}, ledger.ErrAccount},
		"overflow": {[]ledger.Posting{
			ledger.Debit(bank, cny(math.MaxInt64)), ledger.Debit(bank, cny(1)), ledger.Credit(wallet, cny(math.MaxInt64)),
			ledger.Credit(wallet, cny(1)),
		}, money.ErrOverflow},
		"below zero": {[]ledger.Posting{ledger.Debit(wallet, cny(1)), ledger.Credit(bank, cny(1))}, ledger.ErrBelowMin},
	}
	for name, c := range cases {
		if _, err := post(d, s, entry(name, c.lines...)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if p := proven(t, s); p.Journals != 0 || p.Postings != 0 {
		t.Errorf("refused entries left %+v", p)
	}
}

func TestTheSameKeyIsTheSameJournal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(d)
		lines := []ledger.Posting{ledger.Debit(ledger.Gateway("g"), cny(500)), ledger.Credit(ledger.Wallet("acc_a"), cny(500))}
		first, err := post(d, s, entry("pay:1", lines...))
		if err != nil {
			t.Fatal(err)
		}
		again, err := post(d, s, entry("pay:1", lines...))
		if err != nil {
			t.Fatal(err)
		}
		if again.ID != first.ID || cmp.Diff(first.Entry.Postings, again.Entry.Postings) != "" {
			t.Errorf("got journal %s %v, want %s", again.ID, again.Entry.Postings, first.ID)
		}
		lines[0].Amount, lines[1].Amount = cny(600), cny(-600)
		if _, err := post(d, s, entry("pay:1", lines...)); !errors.Is(err, ledger.ErrKeyReused) {
			t.Errorf("another amount: got %v, want ErrKeyReused", err)
		}
		if got := balance(t, s, ledger.Wallet("acc_a")); got != 500 {
			t.Errorf("wallet: got %d, want 500", got)
		}
		proven(t, s)
	}, ledger.Migrations())
}

func TestAReversalUndoesOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := context.Background(), newService(d)
		j, err := post(d, s, entry("pay:1", ledger.Debit(ledger.Bank, cny(7)), ledger.Credit(ledger.Suspense, cny(7))))
		if err != nil {
			t.Fatal(err)
		}
		reverse := func(key string) error {
			return d.InTx(ctx, func(tx *db.Tx) error {
				_, err := s.ReverseTx(ctx, tx, j.ID, key, "system", "mistake")
				return err
			})
		}
		if err := errors.Join(reverse("rev:1"), reverse("rev:1")); err != nil {
			t.Fatal(err)
		}
		if err := reverse("rev:2"); err == nil {
			t.Error("a journal was reversed twice")
		}
		if b, s := balance(t, s, ledger.Bank), balance(t, s, ledger.Suspense); b != 0 || s != 0 {
			t.Errorf("got bank %d, suspense %d, want 0, 0", b, s)
		}
		all, err := s.ByRef(ctx, "attempt", "pay:1")
		if err != nil || len(all) != 2 || all[1].Reverses != j.ID {
			t.Errorf("got %+v, %v, want the journal and its reversal", all, err)
		}
		if _, err := s.Journal(ctx, "jnl_absent"); !errs.IsNotFound(err) {
			t.Errorf("an absent journal: got %v, want NotFound", err)
		}
		proven(t, s)
	}, ledger.Migrations())
}

// Transfers between few accounts in opposite directions would deadlock without
// an order of locks, and overdraw without compare-and-set.
func TestParallelPostingsNeitherLoseNorOverdraw(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(d)
		a, b := ledger.Wallet("acc_a"), ledger.Wallet("acc_b")
		if _, err := post(d, s, entry("open", ledger.Debit(ledger.Opening, cny(20)), ledger.Credit(a, cny(10)), ledger.Credit(b, cny(10)))); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		moved := map[bool]int64{}
		for i := range 40 {
			wg.Go(func() {
				from, to := a, b
				if i%2 == 1 {
					from, to = b, a
				}
				err := untilDecided(func() error {
					_, err := post(d, s, entry(fmt.Sprint("t", i), ledger.Debit(from, cny(3)), ledger.Credit(to, cny(3))))
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					moved[i%2 == 0]++
				} else if !errors.Is(err, ledger.ErrBelowMin) {
					t.Errorf("transfer %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if got, want := balance(t, s, a), 10-3*moved[true]+3*moved[false]; got != want {
			t.Errorf("wallet a: got %d, want %d", got, want)
		}
		proven(t, s)
	}, ledger.Migrations())
}

// untilDecided repeats what lost too often against others, as a job does.
func untilDecided(fn func() error) error {
	for {
		err := fn()
		if err == nil || errs.KindOf(err) != errs.Internal {
			return err
		}
	}
}

// A random history of postings, repetitions and reversals against a map.
func TestTheBooksAgreeWithANaiveModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(d)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			m := &model{t: t, d: d, s: s, run: n, sums: map[ledger.Code]int64{}}
			rt.Repeat(map[string]func(*rapid.T){"post": m.post, "repeat": m.repeat, "reverse": m.reverse, "": m.check})
		})
		proven(t, s)
	}, ledger.Migrations())
}

type model struct {
	t    *testing.T
	d    *db.DB
	s    *ledger.Service
	run  int
	sums map[ledger.Code]int64 // on the debit side
	done []ledger.Journal
	gone map[string]bool
	keys int
}

func (m *model) account(i int) ledger.Code {
	all := []ledger.Code{ledger.Gateway("g"), ledger.Wallet("a"), ledger.Wallet("b"), ledger.Sales, ledger.Suspense}
	return all[i] + ledger.Code(fmt.Sprintf("-%d", m.run)) // a set of accounts for each run
}

func (m *model) post(t *rapid.T) {
	m.keys++
	n := rapid.IntRange(1, 3).Draw(t, "lines")
	var lines []ledger.Posting
	sum := int64(0)
	for range n {
		amount := rapid.Int64Range(-50, 50).Filter(func(v int64) bool { return v != 0 }).Draw(t, "amount")
		lines = append(lines, ledger.Posting{Account: m.account(rapid.IntRange(0, 4).Draw(t, "account")), Amount: cny(amount)})
		sum += amount
	}
	if sum != 0 {
		lines = append(lines, ledger.Posting{Account: m.account(rapid.IntRange(0, 4).Draw(t, "rest")), Amount: cny(-sum)})
	}
	m.apply(t, entry(fmt.Sprintf("%d:%d", m.run, m.keys), lines...))
}

func (m *model) apply(t *rapid.T, e ledger.Entry) {
	j, err := post(m.d, m.s, e)
	after := map[ledger.Code]int64{}
	for _, p := range e.Postings {
		after[p.Account] += p.Amount.Minor
	}
	allowed := len(e.Postings) >= 2
	for c, delta := range after {
		wallet := c == m.account(1) || c == m.account(2)
		allowed = allowed && (!wallet || m.sums[c]+delta <= 0)
	}
	if (err == nil) != allowed {
		t.Fatalf("posting %v on %v: got %v, want allowed %v", e.Postings, m.sums, err, allowed)
	}
	if err != nil {
		return
	}
	for c, delta := range after {
		m.sums[c] += delta
	}
	m.done = append(m.done, j)
}

func (m *model) repeat(t *rapid.T) {
	if len(m.done) == 0 {
		return // nothing to repeat
	}
	j := rapid.SampledFrom(m.done).Draw(t, "journal")
	if j.Reverses != "" {
		return // reversals are repeated by reverse
	}
	again, err := post(m.d, m.s, j.Entry)
	if err != nil || again.ID != j.ID {
		t.Fatalf("repeating %s: got %s, %v", j.ID, again.ID, err)
	}
}

func (m *model) reverse(t *rapid.T) {
	if len(m.done) == 0 {
		return // nothing to reverse
	}
	j := rapid.SampledFrom(m.done).Draw(t, "journal")
	if m.gone[j.ID] || j.Reverses != "" {
		return // reversed already
	}
	ctx := context.Background()
	var r ledger.Journal
	err := m.d.InTx(ctx, func(tx *db.Tx) (err error) {
		r, err = m.s.ReverseTx(ctx, tx, j.ID, "rev:"+j.ID, "system", "test")
		return err
	})
	if errors.Is(err, ledger.ErrBelowMin) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if m.gone == nil {
		m.gone = map[string]bool{}
	}
	m.gone[j.ID] = true
	for _, p := range r.Entry.Postings {
		m.sums[p.Account] += p.Amount.Minor
	}
}

func (m *model) check(t *rapid.T) {
	total := int64(0)
	for c, sum := range m.sums {
		kind, err := c.Kind()
		if err != nil {
			t.Fatal(err)
		}
		got := balance(m.t, m.s, c)
		if kind != ledger.Asset && kind != ledger.Expense {
			got = -got
		}
		if got != sum {
			t.Fatalf("%s: got %d, want %d", c, got, sum)
		}
		total += sum
	}
	if total != 0 {
		t.Fatalf("all accounts sum to %d", total)
	}
}

func TestAChangedRowIsNoticed(t *testing.T) {
	t.Parallel()
	for _, tamper := range []string{
		"UPDATE ledger_account SET balance = balance + 1 WHERE code = 'asset:bank'",
		"UPDATE ledger_account SET version = 9 WHERE code = 'asset:bank'",
		"UPDATE ledger_account SET min_balance = 8 WHERE code = 'liability:suspense'",
		"UPDATE ledger_posting SET amount = 8 WHERE line = 1",
		"UPDATE ledger_posting SET balance_after = 8 WHERE line = 1",
		"UPDATE ledger_posting SET account_version = 2 WHERE line = 1",
		"DELETE FROM ledger_posting WHERE line = 2",
		"DELETE FROM ledger_posting",
		"DELETE FROM ledger_journal",
		"DELETE FROM ledger_account",
	} {
		d := dbtest.SQLite(t, ledger.Migrations())
		s := newService(d)
		if _, err := post(d, s, entry("pay:1", ledger.Debit(ledger.Bank, cny(7)), ledger.Credit(ledger.Suspense, cny(7)))); err != nil {
			t.Fatal(err)
		}
		proven(t, s)
		err := d.InTx(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(context.Background(), tamper)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := s.Prove(context.Background()); err != nil || len(p.Problems) == 0 {
			t.Errorf("%s: got %v, want a problem", tamper, err)
		}
	}
}
