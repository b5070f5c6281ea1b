package vpn

import (
	"context"
	"maps"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// ShutClientsTx shuts all SSL clients of an account, whoever uses them: their
// sessions end, their certificates are revoked, and none signs in until it is
// enabled again and has a new certificate.
func (s *Service) ShutClientsTx(ctx context.Context, tx *db.Tx, p account.Principal) error {
	all, err := db.Select(ctx, tx, scanClient, clientColumns+" WHERE account = $1 ORDER BY id", string(p.Account))
	if err != nil {
		return err
	}
	gateways := map[string]bool{}
	for _, c := range all {
		if err := s.shutClientTx(ctx, tx, p, c); err != nil {
			return err
		}
		gateways[c.Gateway] = true
	}
	for _, g := range slices.Sorted(maps.Keys(gateways)) {
		if _, err := s.fleet.ChangedTx(ctx, tx, g); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) shutClientTx(ctx context.Context, tx *db.Tx, p account.Principal, c SSLClient) error {
	now := s.clock.Now()
	issued, err := issuedTo(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, one := range issued {
		if err := revokeIssued(ctx, tx, one, now); err != nil {
			return err
		}
	}
	old := c.ClientSettings
	c.State = ClientDisabled
	if err := updateClient(ctx, tx, c, now); err != nil {
		return err
	}
	if err := s.endClientTx(ctx, tx, c, gwlink.ReasonRevoked); err != nil {
		return err
	}
	if err := endLinksTx(ctx, tx, c.ID); err != nil {
		return err
	}
	return s.record(ctx, tx, p, "vpn.client_changed", tellChanges(map[string]string{"client": c.ID}, old.told(), c.told()))
}

// ShutClientTx shuts one SSL client. One that is gone is no error.
func (s *Service) ShutClientTx(ctx context.Context, tx *db.Tx, client string) error {
	c, err := clientByID(ctx, tx, client)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.shutClientTx(ctx, tx, account.Principal{Account: c.Account}, c); err != nil {
		return err
	}
	_, err = s.fleet.ChangedTx(ctx, tx, c.Gateway)
	return err
}

// DropClientTx deletes an SSL client on the word of its user. One that is gone is
// no error.
func (s *Service) DropClientTx(ctx context.Context, tx *db.Tx, client string) error {
	c, err := clientByID(ctx, tx, client)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.deleteClientTx(ctx, tx, account.Principal{Account: c.Account}, c)
}
