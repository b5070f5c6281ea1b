package ledger

import (
	"context"
	"fmt"
	"math"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Prove recomputes the books from their postings. The error is of reading; a
// wrong book is in Proof.Problems.
func (s *Service) Prove(ctx context.Context) (Proof, error) {
	var p Proof
	// One transaction, so that a posting under way is seen whole or not at all.
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		p = Proof{}
		return prove(ctx, tx, &p)
	})
	return p, err
}

type provenLine struct {
	journal, account, currency   string
	line, amount, after, version int64
}

func prove(ctx context.Context, q db.Q, p *Proof) error {
	accounts, err := db.Select(ctx, q, scanAccount, accountColumns+" ORDER BY id")
	if err != nil {
		return err
	}
	lines, err := db.Select(ctx, q, func(r db.Row) (l provenLine, err error) {
		return l, r.Scan(&l.journal, &l.account, &l.currency, &l.line, &l.amount, &l.after, &l.version)
	}, "SELECT journal_id, account_id, currency, line, amount, balance_after, account_version FROM ledger_posting ORDER BY account_id, account_version")
	if err != nil {
		return err
	}
	journals, err := db.Select(ctx, q, db.One[string], "SELECT id FROM ledger_journal")
	if err != nil {
		return err
	}
	carried, err := db.Select(ctx, q, func(r db.Row) (l carriedLine, err error) {
		return l, r.Scan(&l.account, &l.currency, &l.amount, &l.version)
	}, "SELECT account_id, currency, amount, version FROM ledger_carried ORDER BY account_id")
	if err != nil {
		return err
	}
	p.Accounts, p.Journals, p.Postings = len(accounts), len(journals), len(lines)
	proveCarried(p, carried)
	proveAccounts(p, accounts, carried, lines)
	proveJournals(p, journals, lines)
	return nil
}

func (p *Proof) problem(format string, args ...any) {
	p.Problems = append(p.Problems, fmt.Sprintf(format, args...))
}

// proveCarried holds what ended years left to the rule of each of their journals.
func proveCarried(p *Proof, carried []carriedLine) {
	sums := map[string]int64{}
	for _, c := range carried {
		sums[c.currency] += c.amount
	}
	for currency, sum := range sums {
		if sum != 0 {
			p.problem("what ended years left is off by %d %s", sum, currency)
		}
	}
}

func proveAccounts(p *Proof, accounts []row, carried []carriedLine, lines []provenLine) {
	sums, versions := map[string]int64{}, map[string]int64{}
	for _, c := range carried {
		sums[c.account], versions[c.account] = c.amount, c.version
	}
	for _, l := range lines {
		if (l.amount > 0 && sums[l.account] > math.MaxInt64-l.amount) || (l.amount < 0 && sums[l.account] < math.MinInt64-l.amount) {
			p.problem("account %s overflows at version %d", l.account, l.version)
		}
		sums[l.account] += l.amount
		versions[l.account]++
		if l.version != versions[l.account] {
			p.problem("account %s: version %d where %d was due", l.account, l.version, versions[l.account])
		}
		if l.after != sums[l.account] {
			p.problem("account %s: balance %d after version %d, sum %d", l.account, l.after, l.version, sums[l.account])
		}
	}
	for _, a := range accounts {
		if a.balance != sums[a.id] || a.version != versions[a.id] {
			p.problem("account %s: balance %d at version %d, postings say %d at %d", a.id, a.balance, a.version, sums[a.id], versions[a.id])
		}
		if err := a.check(); err != nil {
			p.problem("account %s: balance %d is out of bounds", a.id, a.balance)
		}
		delete(sums, a.id)
	}
	for id := range sums {
		p.problem("postings of an account %s that does not exist", id)
	}
}

func proveJournals(p *Proof, journals []string, lines []provenLine) {
	type key struct{ journal, currency string }
	sums, count := map[key]int64{}, map[string]int{}
	for _, l := range lines {
		sums[key{l.journal, l.currency}] += l.amount
		count[l.journal]++
	}
	for k, sum := range sums {
		if sum != 0 {
			p.problem("journal %s is off by %d %s", k.journal, sum, k.currency)
		}
	}
	for _, j := range journals {
		if count[j] < 2 {
			p.problem("journal %s has %d lines", j, count[j])
		}
		delete(count, j)
	}
	for j := range count {
		p.problem("postings of a journal %s that does not exist", j)
	}
}
