package privacy

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// FromTicketTx takes over a ticket that asks about personal data. Its clocks run
// from when the ticket came, whatever was done with it since (clauses TY-0c,
// LT-8a): who asks need not know which form is the right one. It fills
// ticket.Desk. Errors: those of Open.
func (s *Service) FromTicketTx(ctx context.Context, tx *db.Tx, staff account.Principal, a ticket.Asked) (string, error) {
	in := NewRequest{Kind: Kind(a.Kind), Words: a.Words, Channel: ChannelTicket}
	if err := in.check(); err != nil {
		return "", err
	}
	if in.Kind == Misuse {
		return "", ErrKind // it would lock out the person; they report it themselves
	}
	r := s.fresh(a.Account, a.Subject, in)
	r.ReceivedAt = a.At
	var err error
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), []byte(a.Words)); err != nil {
		return "", err
	}
	all := s.clocksOf(&r, s.d.Profile)
	return r.ID, s.openTx(ctx, tx, staff, r, all)
}
