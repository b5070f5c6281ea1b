package retention

import (
	"context"
	"errors"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// ErrLater is what a Stock answers for an item that cannot go before another has
// gone: the next night finds it again.
var ErrLater = errors.New("retention: something before it is still kept")

// Item is one thing that is kept, and goes, as a whole.
type Item struct {
	ID      string
	Subject id.Handle // whose it is; empty: a hold on anybody keeps it
	From    civil.Day // the day that its term is counted from
}

// Stock is what a module keeps of one class, apart from what goes with the account
// of its person.
type Stock struct {
	Class  string
	Tables []string
	// Items lists what has a term that began on a day or before, in the order in
	// which it may go.
	Items func(ctx context.Context, until civil.Day) ([]Item, error)
	// End ends an item in one transaction, keys before rows. Twice is not an error.
	// nil: the module ends it in another way.
	End func(ctx context.Context, i Item) error
}

// Due is the last day whose records of a class go today: where the law sets a floor
// those that are past it, else those that have come to the ceiling.
func Due(class, profile string, today civil.Day) civil.Day {
	if of(class).Floor != (Span{}) {
		return LastPast(class, today)
	}
	return Gone(class, profile, today.AddDays(1)).AddDays(-1)
}

// Retain ends what is over. An item that cannot be ended does not keep the others:
// their errors are joined.
func (s Stock) Retain(ctx context.Context, run Run) (Result, error) {
	sum := Result{Class: s.Class}
	over, err := s.Items(ctx, Due(s.Class, run.Profile, run.Today()))
	if err != nil || mutant.Off("LT-5.3b") {
		return sum, err
	}
	var failed []error
	for _, i := range over {
		if err := ctx.Err(); err != nil {
			return sum, errors.Join(append(failed, err)...)
		}
		sum.Examined++
		late := int64(0)
		if run.Overdue(s.Class, i.From) {
			late = 1
		}
		if run.Held(s.Class, i.Subject) {
			sum.Held, sum.Overdue = sum.Held+1, sum.Overdue+late
			continue
		}
		switch err := s.End(ctx, i); {
		case errors.Is(err, ErrLater):
			continue
		case err != nil:
			failed = append(failed, fmt.Errorf("ending %s of class %s: %w", i.ID, s.Class, err))
		default:
			sum.Destroyed, sum.Overdue = sum.Destroyed+1, sum.Overdue+late
		}
	}
	return sum, errors.Join(failed...)
}

// Over counts the items whose term has begun, and those of them that are past the
// ceiling and held by nothing.
func (s Stock) Over(ctx context.Context, run Run) (all, over int64, err error) {
	items, err := s.Items(ctx, run.Today())
	for _, i := range items {
		all++
		if run.Overdue(s.Class, i.From) && !run.Held(s.Class, i.Subject) {
			over++
		}
	}
	return all, over, err
}

// RetainAll is Retain of several stocks.
func RetainAll(ctx context.Context, run Run, all ...Stock) ([]Result, error) {
	var sums []Result
	var failed []error
	for _, s := range all {
		if s.End == nil {
			continue
		}
		sum, err := s.Retain(ctx, run)
		sums, failed = append(sums, sum), append(failed, err)
	}
	return sums, errors.Join(failed...)
}
