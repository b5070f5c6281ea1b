package payment

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Prove compares every receipt with its journal: there is one, it debits the
// gateway by the receipt's amount, and it belongs to the receipt's attempt. It
// compares what attempts hold with the holds of the books, and what is left of
// gifts with the wallets of gifts. The error is of reading; what is wrong is in
// the result, by ids only.
func (s *Service) Prove(ctx context.Context) (problems []string, err error) {
	const page = 500
	for after := ""; ; {
		all, err := receiptsAfter(ctx, s.d.DB, after, page)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			wrong, err := s.proveReceipt(ctx, r)
			if err != nil {
				return nil, err
			}
			if wrong != "" {
				problems = append(problems, fmt.Sprintf("receipt %s: %s", r.ID, wrong))
			}
			after = r.ID
		}
		if len(all) < page {
			break
		}
	}
	// One transaction, so that a payment under way is seen whole or not at all.
	receipts := len(problems)
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		problems = problems[:receipts]
		for _, c := range []struct{ class, sums string }{
			{"liability:hold", `SELECT order_id, CAST(SUM(hold_wallet_minor + hold_gift_minor) AS BIGINT) FROM payment_attempt WHERE hold = 'held' GROUP BY order_id`},
			{"liability:wallet_gift", `SELECT account_id, CAST(SUM(left_minor) AS BIGINT) FROM payment_grant WHERE kind = 'gift' AND state = 'booked' AND left_minor > 0 GROUP BY account_id`},
		} {
			wrong, err := s.proveClass(ctx, tx, ledger.Code(c.class), c.sums)
			if err != nil {
				return err
			}
			problems = append(problems, wrong...)
		}
		return nil
	})
	return problems, err
}

// proveClass compares the accounts of a class with the sums that are kept here.
func (s *Service) proveClass(ctx context.Context, tx *db.Tx, class ledger.Code, sums string) (problems []string, err error) {
	books, err := s.d.Ledger.AccountsIn(ctx, tx, class)
	if err != nil {
		return nil, err
	}
	kept, err := db.Select(ctx, tx, scanPortion, sums)
	if err != nil {
		return nil, err
	}
	for _, p := range kept {
		code := class + ":" + ledger.Code(p.grant)
		if books[code].Minor != p.minor {
			problems = append(problems, fmt.Sprintf("%s: the books say %d, %d is kept", class, books[code].Minor, p.minor))
		}
		delete(books, code)
	}
	for _, m := range books {
		problems = append(problems, fmt.Sprintf("%s: the books say %d, nothing is kept", class, m.Minor))
	}
	return problems, nil
}

func (s *Service) proveReceipt(ctx context.Context, r Receipt) (wrong string, err error) {
	j, err := s.d.Ledger.Journal(ctx, r.Journal)
	if errs.IsNotFound(err) {
		return "no journal", nil
	}
	if err != nil {
		return "", err
	}
	want := ledger.Debit(s.assetOf(r.Gateway), r.Amount)
	switch {
	case j.Entry.Key != "pay:"+r.ID || j.Entry.RefID != r.Attempt:
		return "the journal is about something else", nil
	case len(j.Entry.Postings) < 2 || j.Entry.Postings[0] != want:
		return "the journal has another amount", nil
	case r.Disposition != ToOrder && r.Disposition != ToWallet && r.Disposition != ToSuspense && r.Disposition != ToRefund:
		return "no disposition", nil
	}
	return "", nil
}

// assetOf is where the money of a gateway account lies, also of one that is not
// configured any more.
func (s *Service) assetOf(gateway string) ledger.Code {
	if g, ok := s.byID[gateway]; ok {
		return g.asset()
	}
	return ledger.Gateway(gateway)
}

// nightly tells operators when receipts and books differ, or the books do not
// hold. Until they do, a person looks at every refund.
func (s *Service) nightly(ctx context.Context) error {
	problems, err := s.Prove(ctx)
	if err != nil {
		return err
	}
	p, err := s.d.Ledger.Prove(ctx)
	if err != nil {
		return err
	}
	if err := s.halt(ctx, len(problems)+len(p.Problems) > 0); err != nil {
		return err
	}
	if len(problems) > 0 {
		s.d.Log.ErrorContext(ctx, "receipts and books differ", "count", len(problems), "problems", problems[:min(len(problems), 20)])
	}
	return nil
}
