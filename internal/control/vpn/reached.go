package vpn

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Topics of limits that refuse people, at most one of each for a gateway and
// day (+08:00): the first refusal says it, what follows is the same news.
const (
	TopicConnectionsReached = "vpn.connections_reached" // the gateway's connections
	TopicAllowanceReached   = "vpn.allowance_reached"   // a client's traffic
)

// LimitReached is the payload of these topics.
type LimitReached struct {
	Account account.ID
	Gateway string
	Client  string // whose allowance it is; empty for connections
	Limit   int    // connections that were bought; 0 for an allowance
	Ends    int64  // of the day, microseconds: with the gateway it names the event
}

// reachedTx records and tells that a limit was reached, unless that was done
// today.
func (s *Service) reachedTx(ctx context.Context, tx *db.Tx, topic string, e LimitReached) error {
	day, _ := fleet.PeriodEnds(s.clock.Now())
	e.Ends = db.Micros(day)
	n, err := tx.Exec(ctx, `INSERT INTO vpn_limit (gateway, kind, day) VALUES ($1, $2, $3)
		ON CONFLICT (gateway, kind) DO UPDATE SET day = excluded.day WHERE vpn_limit.day < excluded.day`, e.Gateway, topic, e.Ends)
	if err != nil || n == 0 {
		return err
	}
	detail := map[string]string{"gateway": e.Gateway, "limit": strings.TrimPrefix(topic, "vpn.")}
	if e.Client != "" {
		detail["client"] = e.Client
	}
	if err := s.recordJob(ctx, tx, e.Account, "", "vpn.limit_reached", detail); err != nil {
		return err
	}
	return s.queue.PublishTx(ctx, tx, topic, e)
}

func (s *Service) allowanceReachedTx(ctx context.Context, tx *db.Tx, c SSLClient) error {
	return s.reachedTx(ctx, tx, TopicAllowanceReached, LimitReached{Account: c.Account, Gateway: c.Gateway, Client: c.ID})
}

// full ends a login that the gateway has no connection for: nothing was wrong
// with it, and the gateway's owner learns of it.
func (l login) full(ctx context.Context, o origin) error {
	return l.s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := giveBack(ctx, tx, o); err != nil {
			return err
		}
		return l.s.reachedTx(ctx, tx, TopicConnectionsReached, LimitReached{
			Account: l.gateway.Account, Gateway: l.gateway.ID, Limit: l.gateway.SSLConnections,
		})
	})
}
