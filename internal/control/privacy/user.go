package privacy

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// ChannelUser is the page of the rights of VPN users. Their principals have no
// account: nothing of the customer whose VPN they use is theirs (clause TY-0e).
const ChannelUser = "vpn_user"

// Persons tells what leads to the rows of somebody who has no account. The
// composition fills it; nil: nobody is known.
type Persons interface {
	ByHandle(ctx context.Context, subject id.Handle) (holding.Person, error)
}

// Users ends the VPN access of one user. The module vpn fills it.
type Users interface {
	// ShutUserTx ends the user's sessions, revokes the certificates and shuts the
	// client. One that is gone is no error.
	ShutUserTx(ctx context.Context, tx *db.Tx, subject id.Handle) error
}

// ErrConfirm says that the login name was not typed as it is.
var ErrConfirm = errs.New(errs.Unprocessable, "privacy.confirm")

// notForUsers are the kinds that are not asked for on the page of a VPN user: they
// are about accounts or asked for by others, but for Delete, which is EraseUser.
var notForUsers = []Kind{Delete, Cancel, Deceased, Guardian}

// KindsOfUsers lists what a VPN user may ask for by Open.
func KindsOfUsers() []Kind {
	return slices.DeleteFunc(Kinds(), func(k Kind) bool { return slices.Contains(notForUsers, k) })
}

// isUser tells the principal of a VPN user.
func isUser(p account.Principal) bool { return p.Account == "" && p.Subject != "" }

// person is what leads to somebody's rows.
func (s *Service) person(ctx context.Context, subject id.Handle, owner account.ID) (holding.Person, error) {
	if owner != "" || s.d.Persons == nil {
		return holding.Person{Handle: subject, Account: string(owner)}, nil
	}
	return s.d.Persons.ByHandle(ctx, subject)
}

// profileOf is the profile whose clocks run for somebody: for VPN users those that
// the client's policy promises, everywhere.
func (s *Service) profileOf(p account.Principal) string {
	if isUser(p) {
		return consent.Mainland
	}
	return s.d.Profile
}

// EraseUser erases what is held of a VPN user on their own word: with their login
// name typed, in a session that is ten minutes old at most. It is a request that
// is granted at once; what carries it out shuts the client in the same
// transaction. Asked twice it is one request. Errors: ErrConfirm,
// account.ErrStepUp.
func (s *Service) EraseUser(ctx context.Context, p account.Principal, typed string) (Request, error) {
	if !isUser(p) {
		return Request{}, ErrKind
	}
	if typed != p.UserName {
		return Request{}, ErrConfirm
	}
	if err := p.RequireStepUp(s.d.Clock.Now()); err != nil {
		return Request{}, err
	}
	r := begin(Request{Subject: p.Subject, Kind: Delete, Channel: ChannelUser, ReceivedAt: s.d.Clock.Now()})
	var err error
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), nil); err != nil {
		return Request{}, err
	}
	all := clocks(s.d.Calendar, s.profileOf(p), r.Kind, r.ReceivedAt, r.ReceivedAt)
	first := due(all)
	r.Due, r.Provisional = first.Due, first.Provisional
	granted := r
	if err := s.write(ctx, &granted, Answer{Decision: Granted}); err != nil {
		return Request{}, err
	}
	request := r.ID
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		have, err := db.Select(ctx, tx, db.One[string], "SELECT id FROM privacy_request WHERE subject = $1 AND kind = $2 AND state = $3", string(p.Subject), string(Delete), string(Carrying))
		if err != nil {
			return err
		}
		if len(have) > 0 {
			request = have[0]
			return nil
		}
		if err := insert(ctx, tx, r, all); err != nil {
			return err
		}
		if err := s.recordTx(ctx, tx, p, "privacy.request_received", r, map[string]string{"kind": string(r.Kind), "due": lastDay(r.Due)}); err != nil {
			return err
		}
		return s.answerTx(ctx, tx, account.Principal{}, granted)
	})
	if err != nil {
		return Request{}, err
	}
	return ofPerson(ctx, s.d.DB, p.Subject, request)
}
