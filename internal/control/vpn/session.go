package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// endTx ends all sessions that a query of granted sessions names and that may
// still live: a grant counts from the moment of login, before the node has
// reported the session, so that none slips through.
func (s *Service) endTx(ctx context.Context, tx *db.Tx, gateway, reason, query string, args ...any) error {
	sessions, err := db.Select(ctx, tx, db.One[string], query, args...)
	if err != nil {
		return err
	}
	return s.fleet.CloseTx(ctx, tx, gateway, sessions, reason)
}

func (s *Service) endClientTx(ctx context.Context, tx *db.Tx, c SSLClient, reason string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM vpn_conversation WHERE client = $1", c.ID); err != nil {
		return err
	}
	return s.endTx(ctx, tx, c.Gateway, reason, "SELECT session FROM vpn_grant WHERE client = $1 ORDER BY session", c.ID)
}

func (s *Service) endServerTx(ctx context.Context, tx *db.Tx, v SSLServer, reason string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM vpn_conversation WHERE server = $1", v.ID); err != nil {
		return err
	}
	return s.endTx(ctx, tx, v.Gateway, reason, "SELECT session FROM vpn_grant WHERE server = $1 ORDER BY session", v.ID)
}

func (s *Service) endAllTx(ctx context.Context, tx *db.Tx, gateway, reason string) error {
	return s.endTx(ctx, tx, gateway, reason, "SELECT session FROM vpn_grant WHERE gateway = $1 ORDER BY session", gateway)
}

// Disconnect ends all sessions of a client and voids their cookies; a new
// login works.
func (s *Service) Disconnect(ctx context.Context, p account.Principal, client string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		if err := s.endClientTx(ctx, tx, c, gwlink.ReasonAdministrator); err != nil {
			return err
		}
		if err := s.actTx(ctx, tx, p, c, ActDisconnect, Reset{}); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.client_disconnected", map[string]string{"client": c.ID})
	})
}

// DisconnectSession ends one session.
func (s *Service) DisconnectSession(ctx context.Context, p account.Principal, session string) error {
	gateways, err := gatewayIDs(ctx, s.db, p.Account)
	if err != nil {
		return err
	}
	one, err := s.fleet.Session(ctx, gateways, session)
	if err != nil {
		return err
	}
	if !one.End.IsZero() {
		return nil
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.fleet.CloseTx(ctx, tx, one.Gateway, []string{session}, gwlink.ReasonAdministrator); err != nil {
			return err
		}
		if c, err := clientFor(ctx, tx, p.Account, one.Client); err == nil {
			if err := s.actTx(ctx, tx, p, c, ActDisconnect, Reset{}); err != nil {
				return err
			}
		} else if !errs.IsNotFound(err) {
			return err
		}
		return s.record(ctx, tx, p, "vpn.session_disconnected", map[string]string{"session": session, "client": one.Client})
	})
}

// Session is an entry of the session log, with the SSL server of its client:
// that is in no log, and empty once the client is deleted.
type Session struct {
	fleet.Session
	Server string
}

// SessionFilter chooses sessions of an account.
type SessionFilter struct {
	Gateway  string // empty = all of the account
	Server   string // empty = all
	Client   string // empty = all
	LiveOnly bool
	Page
}

// Sessions lists an account's sessions, newest first, with their addresses.
// Reading addresses is recorded.
func (s *Service) Sessions(ctx context.Context, p account.Principal, f SessionFilter) (all []Session, next string, err error) {
	gateways, err := s.gatewaysFor(ctx, p.Account, f)
	if err != nil {
		return nil, "", err
	}
	limit, read := f.limit(), fleet.Filter{Gateways: gateways, Client: f.Client, LiveOnly: f.LiveOnly, Before: f.Cursor, Limit: f.limit() + 1}
	for len(all) <= limit {
		batch, err := s.fleet.Sessions(ctx, read)
		if err != nil {
			return nil, "", err
		}
		if all, err = s.ofServer(ctx, p.Account, f.Server, all, batch); err != nil {
			return nil, "", err
		}
		if len(batch) < read.Limit {
			break
		}
		read.Before = batch[len(batch)-1].ID
	}
	all, next = cut(all, limit, func(v Session) string { return v.ID })
	return all, next, s.openAddresses(ctx, p, all)
}

// gatewaysFor are the gateways whose sessions a filter may choose.
func (s *Service) gatewaysFor(ctx context.Context, owner account.ID, f SessionFilter) ([]string, error) {
	if f.Server != "" {
		srv, err := serverFor(ctx, s.db, owner, f.Server)
		if err != nil {
			return nil, err
		}
		return []string{srv.Gateway}, nil
	}
	if f.Gateway == "" {
		return gatewayIDs(ctx, s.db, owner)
	}
	_, err := gatewayFor(ctx, s.db, owner, f.Gateway)
	return []string{f.Gateway}, err
}

// ofServer adds those sessions to all that are of a server ("" = of any).
func (s *Service) ofServer(ctx context.Context, owner account.ID, server string, all []Session, batch []fleet.Session) ([]Session, error) {
	servers := map[string]string{}
	for _, one := range batch {
		of, known := servers[one.Client]
		if !known {
			var err error
			of, err = db.Get(ctx, s.db, ErrClientNotFound, db.One[string], "SELECT server FROM vpn_client WHERE id = $1 AND account = $2", one.Client, string(owner))
			if err != nil && !errs.IsNotFound(err) {
				return nil, err
			}
			servers[one.Client] = of
		}
		if server == "" || server == of {
			all = append(all, Session{one, of})
		}
	}
	return all, nil
}

func (s *Service) openAddresses(ctx context.Context, p account.Principal, all []Session) error {
	logged := make([]fleet.Session, len(all))
	for i := range all {
		logged[i] = all[i].Session
	}
	if err := s.actOfDay(ctx, logged); err != nil {
		return err
	}
	err := s.fleet.OpenAddresses(ctx, readerOf(p), "vpn", logged)
	for i := range all {
		all[i].Session = logged[i]
	}
	return err
}

// Online tells which of an account's clients have a live session, and how many.
func (s *Service) Online(ctx context.Context, owner account.ID, gateway string) (map[string]int, error) {
	if _, err := gatewayFor(ctx, s.db, owner, gateway); err != nil {
		return nil, err
	}
	live, err := s.fleet.LiveClients(ctx, gateway)
	return live, err
}

// Traffic returns the samples of a gateway of an account since a time.
func (s *Service) Traffic(ctx context.Context, owner account.ID, gateway string, since time.Time) ([]fleet.Sample, error) {
	if _, err := gatewayFor(ctx, s.db, owner, gateway); err != nil {
		return nil, err
	}
	return s.fleet.Traffic(ctx, gateway, since)
}

// Pulse is what changes most about a gateway, for event streams.
type Pulse struct {
	Gateway string
	State   GatewayState
	Version int64
	fleet.Totals
}

// Pulses tells how an account's gateways are now. It is cheap.
func (s *Service) Pulses(ctx context.Context, owner account.ID) ([]Pulse, error) {
	all, err := gatewaysOf(ctx, s.db, owner, Page{Limit: 500})
	if err != nil {
		return nil, err
	}
	pulses := make([]Pulse, 0, len(all))
	for _, g := range all {
		t, err := s.fleet.Totals(ctx, g.ID)
		if err != nil {
			return nil, err
		}
		pulses = append(pulses, Pulse{g.ID, g.State, g.Version, t})
	}
	return pulses, nil
}

// onSessionClosed forgets the grant of a session that has ended.
func (s *Service) onSessionClosed(ctx context.Context, e fleet.SessionClosed) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM vpn_grant WHERE session = $1", e.Session)
		return err
	})
}

// sweep forgets what has run out: conversations, attempts, grants, revocations
// of certificates that have ended, and generated secrets. It revokes first what
// was renewed long enough ago.
func (s *Service) sweep(ctx context.Context) error {
	if err := s.retire(ctx); err != nil {
		return err
	}
	now := db.Micros(s.clock.Now())
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM vpn_conversation WHERE expires_at < $1",
			"DELETE FROM vpn_attempt WHERE until < $1",
			"DELETE FROM vpn_enrolment WHERE expires_at < $1",
			"DELETE FROM vpn_bundle_link WHERE expires_at < $1",
			"DELETE FROM vpn_told WHERE until < $1",
			"DELETE FROM vpn_ban_share WHERE source NOT IN (SELECT source FROM vpn_ban WHERE until >= $1)",
			"DELETE FROM vpn_ban WHERE until < $1",
			"DELETE FROM vpn_grant WHERE not_after < $1",
			"DELETE FROM vpn_user_session WHERE expires_at < $1",
			"DELETE FROM vpn_revoked WHERE not_after < $1",
			"DELETE FROM vpn_block WHERE not_after > 0 AND not_after < $1",
			"UPDATE vpn_client SET password_sealed = NULL WHERE password_until < $1 AND password_sealed IS NOT NULL",
			"UPDATE vpn_client SET key_sealed = NULL WHERE key_until < $1 AND key_sealed IS NOT NULL",
			"DELETE FROM vpn_certificate WHERE kind = 'client' AND not_after < $1 AND revoked_at > 0",
		} {
			if _, err := tx.Exec(ctx, text, now); err != nil {
				return err
			}
		}
		return nil
	})
}
