package privacy

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Logins ends login sessions. The module account fills it.
type Logins interface {
	// EndSessionsTx ends all sessions and remember-me tokens of a person.
	EndSessionsTx(ctx context.Context, tx *db.Tx, subject id.Handle, reason string) error
}

// Tunnels ends VPN sessions. The module vpn fills it.
type Tunnels interface {
	// ShutClientsTx ends the VPN sessions of an account's clients, revokes their
	// certificates and lets none of them sign in.
	ShutClientsTx(ctx context.Context, tx *db.Tx, p account.Principal) error
}

// lockOutTx is what a report of misuse does at once (clause TY-5.2). The nodes
// hear of it as soon as it commits.
func (s *Service) lockOutTx(ctx context.Context, tx *db.Tx, p account.Principal) error {
	if mutant.Off("TY-5.2") {
		return nil
	}
	if isUser(p) {
		return s.d.Users.ShutUserTx(ctx, tx, p.Subject)
	}
	if err := s.d.Tunnels.ShutClientsTx(ctx, tx, p); err != nil {
		return err
	}
	return s.d.Logins.EndSessionsTx(ctx, tx, p.Subject, "misuse")
}
