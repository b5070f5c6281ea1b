package vpn

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// errUsed says that the code's time step was used before.
var errUsed = errors.New("code was used before")

func isUsed(err error) bool { return errors.Is(err, errUsed) }

var errFull = errs.New(errs.Limited, "vpn.connections_used_up")

// grant ends a login: it spends the step of the code, if one was asked for, counts the gateway's
// connections, notes the session and signs the grant.
func (l login) grant(ctx context.Context, c SSLClient, o origin, code found) (gwlink.LoginAnswer, error) {
	if l.page != nil {
		return l.enter(ctx, c, o, code)
	}
	key, public, err := l.s.grantKey(ctx)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	device, err := l.device(ctx, c)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	g, known, no := l.newGrant(c), "", gwlink.LoginAnswer{}
	err = l.s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := l.spend(ctx, tx, c, code); err != nil {
			return err
		}
		if err := l.room(ctx, tx, c); err != nil {
			return err
		}
		if err := forgive(ctx, tx, o); err != nil {
			return err
		}
		if known, no, err = l.hindrance(ctx, tx, c, device); err != nil || no.Outcome != "" {
			return err
		}
		if err := l.spendRecovery(ctx, tx, c, code); err != nil {
			return err
		}
		if l.s.notices != nil {
			if g.Notices, err = l.s.notices.Unread(ctx, tx, c.Subject); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "INSERT INTO vpn_grant (session, gateway, server, client, device, issued_at, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			g.Session, g.Gateway, g.Server, g.Client, known, db.Micros(l.now), db.Micros(g.NotAfter))
		return err
	})
	if errors.Is(err, errFull) {
		l.s.log.WarnContext(ctx, "vpn login refused: connection limit", "gateway", l.gateway.ID)
		return unavailable(textFull), l.full(ctx, o)
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if no.Outcome != "" {
		l.s.log.InfoContext(ctx, "vpn login refused: allowance or device", "client", c.ID, "outcome", no.Outcome)
		return no, nil
	}
	fault.Point("vpn-after-grant")
	signed, err := gwlink.SignGrant(keyID(public), key, g)
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted, Grant: signed}, err
}

// hindrance is the answer to a person who has proven everything and may still
// not come in, without outcome if nothing hinders. known is the approved device, if
// one has to be.
func (l login) hindrance(ctx context.Context, tx *db.Tx, c SSLClient, d Device) (known string, no gwlink.LoginAnswer, err error) {
	reason, err := l.allowance(ctx, tx, c)
	if err != nil {
		return "", no, err
	}
	if reason != "" {
		return "", unavailable(reason), l.s.allowanceReachedTx(ctx, tx, c)
	}
	if known, reason, err = l.admitDevice(ctx, tx, c, d); err == nil && reason != "" {
		no = closed(reason)
	}
	return known, no, err
}

func (l login) newGrant(c SSLClient) gwlink.Grant {
	g := gwlink.Grant{
		Session: id.New("ses"), Gateway: l.gateway.ID, Server: l.server.ID, Client: c.ID, FixedInner: c.FixedIP, FixedInner6: c.FixedIP6,
		MaxSessions: l.server.sessionsOf(c.MaxSessions), UpRate: c.UpRate, DownRate: c.DownRate, NotBefore: l.now,
		NotAfter: l.now.Add(time.Duration(l.server.SessionTimeout) * time.Second),
	}
	if !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(g.NotAfter) {
		g.NotAfter = c.ExpiresAt
	}
	if l.certificate != nil {
		if l.certificate.NotAfter.Before(g.NotAfter) {
			g.NotAfter = l.certificate.NotAfter
		}
		g.Serial, g.Issuer = serialText(l.certificate.SerialNumber), gwlink.NameHash(l.certificate.RawIssuer)
		g.Path = l.path
	}
	return g
}

// spend marks the code's step as used, once, and makes sure that the client is
// still what was looked at. Step 0 is a login without a code, or with a recovery
// code.
func (l login) spend(ctx context.Context, tx *db.Tx, c SSLClient, code found) error {
	if code.step == 0 {
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM vpn_client WHERE id = $1 AND version = $2", c.ID, c.Version)
		if err == nil && n != 1 {
			err = ErrStale
		}
		if err == nil && code.recovery != "" {
			err = knowsRecovery(ctx, tx, c, code)
		}
		return err
	}
	return tx.ExecOne(ctx, errUsed, "UPDATE vpn_client SET totp_step = $1, token_drift = $2 WHERE id = $3 AND version = $4 AND totp_step < $1",
		code.step, code.drift, c.ID, c.Version)
}

// room counts the gateway's sessions: those that live, and grants so young
// that the node may not have reported them. A client at its own limit takes
// the place of its oldest session.
func (l login) room(ctx context.Context, tx *db.Tx, c SSLClient) error {
	live, err := l.s.fleet.LiveTx(ctx, tx, l.gateway.ID)
	if err != nil {
		return err
	}
	type pair struct{ session, client string }
	young, err := db.Select(ctx, tx, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.session, &p.client) },
		"SELECT session, client FROM vpn_grant WHERE gateway = $1 AND issued_at > $2", l.gateway.ID, db.Micros(l.now.Add(-grantSettles)))
	if err != nil {
		return err
	}
	for _, p := range young {
		live[p.session] = p.client
	}
	most, err := l.sessionsOfAll(ctx, tx)
	if err != nil {
		return err
	}
	perClient := map[string]int{c.ID: 0}
	for _, client := range live {
		perClient[client]++
	}
	taken := 0
	for client, n := range perClient {
		if client == c.ID {
			n = min(n, l.server.sessionsOf(c.MaxSessions)-1)
		}
		taken += min(n, most[client]) // more are being replaced right now
	}
	if taken >= l.gateway.SSLConnections {
		return errFull
	}
	return nil
}

// sessionsOfAll tells how many sessions each client of the gateway may have.
func (l login) sessionsOfAll(ctx context.Context, tx *db.Tx) (map[string]int, error) {
	all, err := db.Select(ctx, tx, func(r db.Row) (c SSLClient, err error) {
		var n int64
		err = r.Scan(&c.ID, &n)
		c.MaxSessions = int(n)
		return c, err
	}, "SELECT id, max_sessions FROM vpn_client WHERE gateway = $1", l.gateway.ID)
	most := make(map[string]int, len(all))
	for _, c := range all {
		most[c.ID] = l.server.sessionsOf(c.MaxSessions)
	}
	return most, err
}
