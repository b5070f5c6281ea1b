package proof

import (
	"bytes"
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// ErrBusy says that a pack of the person is being made by this process.
var ErrBusy = errs.New(errs.Conflict, "proof.busy")

// Own makes the pack of whoever asks, who is the reader of what it opens. It
// needs a session that proved itself within ten minutes, as the copy of their
// data does. since is that of Request. A process makes one at a time for a
// person: each costs a walk through the log. Errors: account.ErrStepUp, ErrBusy,
// those of Write.
func (s *Service) Own(ctx context.Context, p account.Principal, since int64) ([]byte, error) {
	if err := p.RequireStepUp(s.d.Clock.Now()); err != nil {
		return nil, err
	}
	if _, making := s.making.LoadOrStore(p.Subject, true); making {
		return nil, ErrBusy
	}
	defer s.making.Delete(p.Subject)
	// Whole before the first byte is sent: a pack cut short looks like a forged one.
	var out bytes.Buffer
	err := s.Write(ctx, Request{
		Subject: p.Subject, Reader: vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}, Since: since,
	}, &out)
	return out.Bytes(), err
}
