package privacy

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// People finds who has a user name. The module account fills it.
type People interface {
	OwnerBy(ctx context.Context, name string) (account.ID, id.Handle, error)
}

// ErrNobody says that nobody has a user name.
var ErrNobody = errs.New(errs.NotFound, "privacy.person_not_found")

// Addresses finds who has verified a mail address. The module account fills it.
type Addresses interface {
	OwnerByAddress(ctx context.Context, address string) (account.ID, id.Handle, error)
}

func (s *Service) personBy(ctx context.Context, name string) (account.ID, id.Handle, error) {
	if s.d.People == nil {
		return "", "", ErrNobody
	}
	owner, subject, err := s.d.People.OwnerBy(ctx, name)
	if errs.IsNotFound(err) {
		err = ErrNobody
	}
	return owner, subject, err
}

// OpenFor takes a request that reached staff by phone or on paper, from somebody
// who says who they are. Its clocks run from now; who it is has to be asked, so
// that nothing is done or told before (clauses LT-8a, TY-9.1). Misuse is not
// taken this way: whoever calls could lock out somebody else. Errors: those of
// Open, ErrNobody, ErrOwn.
func (s *Service) OpenFor(ctx context.Context, p account.Principal, name string, in NewRequest) (Request, error) {
	if err := in.check(); err != nil {
		return Request{}, err
	}
	if in.Kind == Misuse || (in.Channel != ChannelPhone && in.Channel != ChannelLetter) {
		return Request{}, ErrKind
	}
	owner, subject, err := s.personBy(ctx, name)
	if err != nil {
		return Request{}, err
	}
	if subject == p.Subject {
		return Request{}, ErrOwn
	}
	r := s.fresh(owner, subject, in)
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), []byte(strings.TrimSpace(in.Words))); err != nil {
		return Request{}, err
	}
	all := s.clocksOf(&r, s.d.Profile)
	asked := r
	asked.Identity = IdentityAsked
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := s.openTx(ctx, tx, p, r, all); err != nil {
			return err
		}
		return s.moveTx(ctx, tx, p, asked, EventAsk, "privacy.identity_asked", map[string]string{"channel": in.Channel})
	})
	if err != nil {
		return Request{}, err
	}
	return byID(ctx, s.d.DB, r.ID)
}
