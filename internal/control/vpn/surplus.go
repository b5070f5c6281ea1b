package vpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// granted is one session of a client that may live, and what the client may have.
type granted struct {
	session, client string
	issued          int64 // Unix microseconds
	most            int   // 0 = the server's
}

// endSurplusTx ends the oldest sessions of the clients of a server, or of one
// of them, beyond what each may have now. A grant counts while the node may not
// have reported its session; one that became none does not.
func (s *Service) endSurplusTx(ctx context.Context, tx *db.Tx, srv SSLServer, client string) error {
	live, err := s.fleet.LiveTx(ctx, tx, srv.Gateway)
	if err != nil {
		return err
	}
	all, err := db.Select(ctx, tx, func(r db.Row) (g granted, err error) {
		var most int64
		err = r.Scan(&g.session, &g.client, &g.issued, &most)
		g.most = int(most)
		return g, err
	}, `SELECT g.session, g.client, g.issued_at, c.max_sessions FROM vpn_grant g JOIN vpn_client c ON c.id = g.client
		WHERE g.server = $1 AND ($2 = '' OR g.client = $2) ORDER BY g.issued_at DESC, g.session DESC`, srv.ID, client)
	if err != nil {
		return err
	}
	settled := db.Micros(s.clock.Now().Add(-grantSettles))
	counts, surplus := map[string]int{}, []string(nil)
	for _, g := range all {
		if _, lives := live[g.session]; !lives && g.issued <= settled {
			continue
		}
		counts[g.client]++
		if counts[g.client] > srv.sessionsOf(g.most) {
			surplus = append(surplus, g.session)
		}
	}
	return s.fleet.CloseTx(ctx, tx, srv.Gateway, surplus, gwlink.ReasonReplaced)
}

// sessionsOf is how many sessions a client may have that asks for most; 0 = what
// the server gives.
func (c Settings) sessionsOf(most int) int {
	if most > 0 {
		return most
	}
	return c.MaxSessionsPerClient
}
