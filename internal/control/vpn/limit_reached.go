package vpn

import (
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Topics of limits that refuse people. The first refusal says it, what follows
// in the time given is the same news.
const (
	TopicConnectionsReached = "vpn.connections_reached" // the gateway's connections; once for the gateway and day (+08:00)
	TopicAllowanceReached   = "vpn.allowance_reached"   // a client's traffic; once for the client and day
	TopicClientLocked       = "vpn.client_locked"       // a client's tries; once for the client and attemptWindow, from however many sources
)

// LimitReached is the payload of these topics.
type LimitReached struct {
	Account account.ID
	Gateway string
	Client  string // whose allowance or lock it is; empty for connections
	Limit   int    // connections that were bought; 0 otherwise
	Ends    int64  // of the day or the lock, microseconds: with gateway and client it names the event
}

// reachedTx records and tells that a limit was reached, unless that was done
// today.
func (s *Service) reachedTx(ctx context.Context, tx *db.Tx, topic string, e LimitReached) error {
	now := s.clock.Now()
	day, _ := fleet.PeriodEnds(now)
	e.Ends = db.Micros(day)
	first, err := firstTx(ctx, tx, topic, e, now)
	if err != nil || !first {
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

// firstTx reports whether an event is news at a time, and remembers it until it
// ends.
func firstTx(ctx context.Context, tx *db.Tx, topic string, e LimitReached, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO vpn_told (gateway, client, kind, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (gateway, client, kind) DO UPDATE SET until = excluded.until WHERE vpn_told.until <= $5`,
		e.Gateway, e.Client, topic, e.Ends, db.Micros(at))
	return n > 0, err
}

// lockedJob tells of a lock after the login that brought it, which takes as long
// for a client as for nobody (Client empty).
type lockedJob struct {
	Client string
	At     int64 // microseconds
}

func (s *Service) onLocked(ctx context.Context, j lockedJob) error {
	if j.Client == "" {
		return nil
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientByID(ctx, tx, j.Client)
		if errs.IsNotFound(err) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		at := db.FromMicros(j.At)
		e := LimitReached{Account: c.Account, Gateway: c.Gateway, Client: c.ID, Ends: db.Micros(at.Add(attemptWindow))}
		first, err := firstTx(ctx, tx, TopicClientLocked, e, at)
		if err != nil || !first {
			return err
		}
		if err := s.recordJob(ctx, tx, c.Account, c.Subject, "vpn.client_locked", map[string]string{"client": c.ID}); err != nil {
			return err
		}
		return s.queue.PublishTx(ctx, tx, TopicClientLocked, e)
	})
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
