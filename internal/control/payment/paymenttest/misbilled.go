package paymenttest

import (
	"context"
	"maps"
	"testing"
	"time"

	owner "github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var settler = owner.Principal{Staff: true, Permissions: []string{owner.PermPaymentRead, owner.PermPaymentSettle}}

// noon moves to noon of the next day of China and returns that day.
func (s *stand) noon() civil.Day {
	d := civil.DayOf(s.Clock.Now()).AddDays(1)
	s.Clock.Advance(d.Start().Add(12 * time.Hour).Sub(s.Clock.Now()))
	s.Settle()
	return d
}

// differing counts what is open, by kind.
func (s *stand) differing(t *testing.T) map[payment.DifferenceKind]int {
	t.Helper()
	all, err := s.pay.Differences(context.Background(), settler, payment.DifferenceFilter{State: payment.DifferenceOpen}, 100)
	if err != nil {
		t.Fatal(err)
	}
	n := map[payment.DifferenceKind]int{}
	for _, d := range all {
		n[d.Kind]++
	}
	return n
}

// misbilled reads bills of the provider's own form, honest and not.
func misbilled(t *testing.T, s *stand) {
	if _, ok := s.Gateway.(payment.Biller); !ok {
		t.Log("this provider has no bills")
		return
	}
	ctx := context.Background()
	day := s.noon()
	a := s.paid(t)
	s.paid(t)
	s.misbehave(t, Lost)
	_, lost := s.started(t, s.Methods[0])
	s.Pay(t, lost.No)
	s.misbehave(t, Broken) // nor do questions tell
	s.noon()
	s.misbehave(t, Honest)
	err := s.DB.InTx(ctx, func(tx *db.Tx) error { return s.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "payment.bills"}) })
	if err != nil {
		t.Fatal(err)
	}
	s.Settle()
	bills, err := s.pay.Bills(ctx, settler, payment.BillFilter{}, 10)
	if err != nil || len(bills) == 0 {
		t.Fatalf("got %+v, %v", bills, err)
	}
	b := bills[0]
	if b.Day != day || b.State != payment.BillRead || b.Payments != 3 || len(s.differing(t)) != 0 || len(s.receipts(t, lost.No)) != 1 {
		t.Fatalf("honest: got %+v, %v, receipts %+v", b, s.differing(t), s.receipts(t, lost.No))
	}
	_, tells := s.Gateway.(payment.RefundQuerier)
	if fee, err := s.books.Balance(ctx, ledger.GatewayFee, money.CNY); err != nil || tells && fee.Minor != 3*(a.Amount.Minor*6/1000) || !tells && fee.Minor != 0 {
		t.Errorf("fees: got %s, %v", fee, err)
	}
	for _, c := range []struct {
		fault Fault
		finds map[payment.DifferenceKind]int
		vain  bool // nothing of the file is used
	}{
		{fault: BillMissing, finds: map[payment.DifferenceKind]int{payment.MissingThere: 1}},
		{fault: BillDouble, finds: map[payment.DifferenceKind]int{payment.Duplicate: 1}},
		{fault: BillAmount, finds: map[payment.DifferenceKind]int{payment.AmountDiffers: 1}},
		{fault: BillDamaged, vain: true},
		{fault: BillCut, vain: true},
		{fault: BillLate, vain: true},
	} {
		if !s.Misbehave(c.fault) {
			t.Logf("this provider has no fault %q", c.fault)
			continue
		}
		read, err := s.pay.ReadBillAgain(ctx, settler, b.ID)
		if err != nil {
			t.Fatalf("%s: %v", c.fault, err)
		}
		if got := s.differing(t); !maps.Equal(got, c.finds) || (read.Problem != "") != c.vain {
			t.Errorf("%s: got %v, %+v", c.fault, got, read)
		}
		s.misbehave(t, Honest)
		if read, err = s.pay.ReadBillAgain(ctx, settler, b.ID); err != nil || read.Problem != "" || len(s.differing(t)) != 0 {
			t.Errorf("after %s: got %+v, %v, %v", c.fault, read, err, s.differing(t))
		}
	}
	if !tells {
		return
	}
	if _, err := s.refund(a, refund1, 100); err != nil { // by nobody here
		t.Fatal(err)
	}
	next := civil.DayOf(s.Clock.Now())
	s.noon()
	err = s.DB.InTx(ctx, func(tx *db.Tx) error { return s.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "payment.bills"}) })
	if err != nil {
		t.Fatal(err)
	}
	s.Settle()
	if got := s.differing(t); got[payment.RefundMissingHere] != 1 || len(got) != 1 {
		t.Errorf("a refund of nobody's on %s: got %v", next, got)
	}
	if bills, err = s.pay.Bills(ctx, settler, payment.BillFilter{}, 10); err != nil || bills[0].Day != next {
		t.Fatalf("got %+v, %v", bills, err)
	}
	s.misbehave(t, BillNoBack)
	if _, err := s.pay.ReadBillAgain(ctx, settler, bills[0].ID); err != nil || len(s.differing(t)) != 0 {
		t.Errorf("a bill that lacks it: %v, %v", err, s.differing(t))
	}
}
