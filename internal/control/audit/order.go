package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// ErrOrder says that nothing is recorded, hence nothing read or sent, for an
// order that does not stand.
var ErrOrder = errs.New(errs.LegalBlock, "audit.no_order")

// Orders are the orders of authorities. The module legalorder fills it.
type Orders interface {
	// ShownFrom is from when a person may see what is done with their data for an
	// order that is approved and has not ended: zero for at once. Any error, and
	// an order that is not about the person, refuses the reading or sending.
	ShownFrom(ctx context.Context, order string, subject id.Handle) (time.Time, error)
}

// BindOrders fills the port. Until then nothing is read or sent for an order.
func (s *Service) BindOrders(o Orders) { s.orders = o }

// shownFrom asks the order, and nobody else: nothing but an order with a day
// hides an entry from its person (clause LT-3d).
func (s *Service) shownFrom(ctx context.Context, order string, subject id.Handle) (time.Time, error) {
	if order == "" {
		return time.Time{}, nil
	}
	if s.orders == nil {
		return time.Time{}, ErrOrder
	}
	at, err := s.orders.ShownFrom(ctx, order, subject)
	if err != nil {
		return time.Time{}, fmt.Errorf("asking order %s: %w", order, err)
	}
	return at, nil
}

// orderDetail adds to the detail of a leaf what its row has of an order; rows
// without one have the detail that they always had.
func orderDetail(detail map[string]string, order string, shown time.Time) map[string]string {
	if order != "" {
		detail["legal_order"] = order
	}
	if !shown.IsZero() {
		detail["shown_from"] = shown.UTC().Format(time.RFC3339Nano)
	}
	return detail
}

// hiddenLeaf is the condition for leaves that their person does not see yet; $2
// is the present.
const hiddenLeaf = `payload IN (SELECT id FROM audit_read WHERE shown_from > $2
	UNION ALL SELECT id || ':' || phase FROM audit_disclosure WHERE shown_from > $2)`

// Shown reports whether a person sees an entry about them: ErrRange for one of
// somebody else, and for one that an order hides for now.
func (s *Service) Shown(ctx context.Context, l Leaf, person id.Handle) error {
	if l.Handle != person {
		return ErrRange
	}
	hidden, err := db.Get(ctx, s.db, nil, db.One[int64],
		"SELECT count(*) FROM audit_leaf WHERE payload = $1 AND "+hiddenLeaf, l.Payload, s.now())
	if err != nil {
		return err
	}
	if hidden > 0 {
		return ErrRange
	}
	return nil
}

// now is what suppression is compared with, in microseconds.
func (s *Service) now() int64 {
	if mutant.Off("LT-3d") {
		return 0
	}
	return db.Micros(s.clock.Now())
}
