package payment

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Prove compares every receipt with its journal: there is one, it debits the
// gateway by the receipt's amount, and it belongs to the receipt's attempt. The
// error is of reading; what is wrong is in the result, by ids only.
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
			return problems, nil
		}
	}
}

func (s *Service) proveReceipt(ctx context.Context, r Receipt) (wrong string, err error) {
	j, err := s.d.Ledger.Journal(ctx, r.Journal)
	if errs.IsNotFound(err) {
		return "no journal", nil
	}
	if err != nil {
		return "", err
	}
	want := ledger.Debit(ledger.Gateway(r.Gateway), r.Amount)
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
