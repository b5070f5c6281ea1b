package payment

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// ending reports whether the provider is to be made to take no more money: the
// time is over, or the attempt was closed here, and the last answer was not that
// it is paid or closed there.
func (a Attempt) ending(class string, now time.Time) bool {
	switch class {
	case string(FactPaid), string(FactClosed), string(FactFailed), string(Foreign):
		return false
	}
	return a.State == Closed && !a.CloseConfirmed || a.State.Open() && !now.Before(a.ExpireAt)
}

// end closes an attempt at the provider and asks once more, because a payer may
// have been faster than we: asked, closed, asked again. It returns the class of
// the last answer and whether the provider takes no money any more. A provider
// that cannot close, or whose answer was lost, goes on being asked.
func (s *Service) end(ctx context.Context, a Attempt, class string) (last string, shut bool, err error) {
	c, ok := s.byID[a.Gateway].Gateway.(Closer)
	if !ok {
		return class, false, nil
	}
	failure := c.Close(ctx, AttemptRef{AttemptNo: a.No, Subject: a.Subject, Amount: a.Amount})
	fault.Point("payment-after-close")
	if errors.Is(failure, ErrUnsupported) {
		return class, false, nil
	}
	if failure != nil {
		s.d.Log.InfoContext(ctx, "a payment was not closed at the provider", "attempt", a.No, "code", errs.CodeOf(failure))
	}
	if last, err = s.ask(ctx, a); err != nil {
		return last, false, err
	}
	fault.Point("payment-after-second-query")
	if last == string(FactClosed) {
		return last, true, nil
	}
	// A code that nobody has scanned is no trade yet. It may be scanned until the
	// attempt's end, and not after.
	gone := failure == nil && last == ErrTradeNotFound.Code && !s.d.Clock.Now().Before(a.ExpireAt)
	return last, gone, nil
}
