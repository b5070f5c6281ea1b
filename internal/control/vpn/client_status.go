package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// ClientLocked is shown and asked for like a state of a client; it is not
// stored: an enabled client is locked while a source may not sign in to it.
const ClientLocked ClientState = "locked"

// ClientStatus is how a client was when it was read.
type ClientStatus struct {
	Sessions    int       // live ones, as nodes have reported
	Recovery    int       // codes that are left
	Waiting     int       // devices that wait for approval
	LockedUntil time.Time // from one source at least; zero when it is not locked
}

// Shown is the client's state with locks.
func (c SSLClient) Shown() ClientState {
	if c.State == ClientEnabled && !c.Status.LockedUntil.IsZero() {
		return ClientLocked
	}
	return c.State
}

// ClientFilter chooses clients of an account; the zero value takes all.
type ClientFilter struct {
	Server string
	State  ClientState // ClientLocked is one
	Online *bool       // with or without a live session
}

func (f ClientFilter) takes(c SSLClient) bool {
	return (f.State == "" || f.State == c.Shown()) && (f.Online == nil || *f.Online == (c.Status.Sessions > 0))
}

// Clients lists an account's SSL clients with their status.
func (s *Service) Clients(ctx context.Context, owner account.ID, f ClientFilter, page Page) (all []SSLClient, next string, err error) {
	limit := page.limit()
	for {
		batch, err := clientsFor(ctx, s.db, owner, f.Server, page)
		if err != nil {
			return nil, "", err
		}
		if err := s.readStatus(ctx, owner, batch); err != nil {
			return nil, "", err
		}
		for _, c := range batch {
			if page.Cursor = c.ID; f.takes(c) {
				all = append(all, c)
			}
			if len(all) > limit {
				all, next = cut(all, limit, func(c SSLClient) string { return c.ID })
				return all, next, nil
			}
		}
		if len(batch) <= limit {
			return all, "", nil
		}
	}
}

// Client returns one SSL client of an account with its status.
func (s *Service) Client(ctx context.Context, owner account.ID, client string) (SSLClient, error) {
	c, err := clientFor(ctx, s.db, owner, client)
	if err != nil {
		return SSLClient{}, err
	}
	one := []SSLClient{c}
	err = s.readStatus(ctx, owner, one)
	return one[0], err
}

// readStatus fills in the status of clients of one account.
func (s *Service) readStatus(ctx context.Context, owner account.ID, all []SSLClient) error {
	if len(all) == 0 {
		return nil
	}
	locks, err := s.locksOf(ctx, owner)
	if err != nil {
		return err
	}
	left, err := perClient(ctx, s.db, "SELECT client, count(*) FROM vpn_recovery WHERE client IN (SELECT id FROM vpn_client WHERE account = $1) GROUP BY client", owner)
	if err != nil {
		return err
	}
	waiting, err := perClient(ctx, s.db, `SELECT client, count(*) FROM vpn_device WHERE state = 'waiting'
		AND client IN (SELECT id FROM vpn_client WHERE account = $1) GROUP BY client`, owner)
	if err != nil {
		return err
	}
	live := map[string]map[string]int{}
	for i, c := range all {
		if live[c.Gateway] == nil {
			if live[c.Gateway], err = s.fleet.LiveClients(ctx, c.Gateway); err != nil {
				return err
			}
		}
		all[i].Status = ClientStatus{Sessions: live[c.Gateway][c.ID], Recovery: left[c.ID], Waiting: waiting[c.ID], LockedUntil: locks[c.ID]}
	}
	return nil
}

// perClient runs a query that counts something of each client of an account.
func perClient(ctx context.Context, q db.Q, query string, owner account.ID) (map[string]int, error) {
	type pair struct {
		client string
		n      int64
	}
	all, err := db.Select(ctx, q, func(r db.Row) (v pair, err error) { return v, r.Scan(&v.client, &v.n) }, query, string(owner))
	counts := make(map[string]int, len(all))
	for _, v := range all {
		counts[v.client] = int(v.n)
	}
	return counts, err
}

// locksOf is until when which clients of an account are locked.
func (s *Service) locksOf(ctx context.Context, owner account.ID) (map[string]time.Time, error) {
	type lock struct {
		client string
		until  int64
	}
	all, err := db.Select(ctx, s.db, func(r db.Row) (l lock, err error) { return l, r.Scan(&l.client, &l.until) },
		`SELECT client, MAX(until) FROM vpn_attempt WHERE until > $1 AND count >= $2
		AND client IN (SELECT id FROM vpn_client WHERE account = $3) GROUP BY client`,
		db.Micros(s.clock.Now()), int64(attemptsAllowed), string(owner))
	locks := make(map[string]time.Time, len(all))
	for _, l := range all {
		locks[l.client] = db.FromMicros(l.until)
	}
	return locks, err
}
