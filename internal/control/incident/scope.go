package incident

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// QueryKind is one way to say whom an incident reaches. The list is closed.
type QueryKind string

// Queries.
const (
	Everyone QueryKind = "everyone" // everybody of whom anything is held
	Accounts QueryKind = "accounts" // owners and VPN users of these accounts
	Logins   QueryKind = "logins"   // who signed in or asked for a page in a span
	Tunnels  QueryKind = "tunnels"  // VPN users who had a session in a span
	Stores   QueryKind = "stores"   // unknown who: everybody of the stores that were reached
)

// Query says whom an incident reaches.
type Query struct {
	Kind     QueryKind
	Accounts []string  `json:",omitempty"`
	From     time.Time `json:",omitzero"`
	To       time.Time `json:",omitzero"` // not included
	Stores   []string  `json:",omitempty"`
}

// storeNames are what Stores may name.
var storeNames = []string{"main", "keys", "backup", "logs", "gateways"}

func (q Query) check() error {
	switch q.Kind {
	case Everyone:
		return nil
	case Accounts:
		if len(q.Accounts) == 0 {
			return ErrSpan
		}
		return nil
	case Logins, Tunnels:
		if q.From.IsZero() || !q.From.Before(q.To) {
			return ErrSpan
		}
		return nil
	case Stores:
		for _, n := range q.Stores {
			if !slices.Contains(storeNames, n) {
				return ErrKind
			}
		}
		return nil
	}
	return ErrKind
}

// People is who has an account. The module account fills it.
type People interface {
	// People lists persons by handle, from after on.
	People(ctx context.Context, after id.Handle, limit int) ([]id.Handle, error)
	// SeenBetween lists those in the login or access log of a span.
	SeenBetween(ctx context.Context, from, to time.Time, after id.Handle, limit int) ([]id.Handle, error)
	// Owner is the person of an account.
	Owner(ctx context.Context, a account.ID) (id.Handle, error)
}

// Users is who uses a VPN. The module vpn fills it.
type Users interface {
	// Users lists the users of SSL clients by client, from after on; of one account unless it is empty.
	Users(ctx context.Context, a account.ID, after string, limit int) ([]vpn.User, error)
	// UserOf is the user of a client.
	UserOf(ctx context.Context, client string) (vpn.User, error)
	// GatewayAccounts lists accounts that have gateways.
	GatewayAccounts(ctx context.Context, after account.ID, limit int) ([]account.ID, error)
}

// Sessions is the log of VPN sessions. The module fleet fills it.
type Sessions interface {
	// ClientsBetween lists clients that had a session in a span, from after on.
	ClientsBetween(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error)
}

// Minors tells who is under age. Nobody is known to be while it is nil.
type Minors interface {
	Minor(ctx context.Context, subject id.Handle) (bool, error)
}

// sources of people. A pass reads one of them, page by page.
const (
	fromPeople  = "people"
	fromLogins  = "logins"
	fromUsers   = "users" // argument: an account, or empty
	fromTunnels = "tunnels"
	fromOwner   = "owner" // argument: an account
	fromOwners  = "owners"
)

// pass is a source to read through, and how far it was read.
type pass struct {
	number           int64
	source, argument string
	from, to         time.Time
	position         string
}

// expand turns queries into passes; a scope that says nothing is everybody.
func expand(all []Query) (passes []pass) {
	everyone := []pass{{source: fromPeople}, {source: fromUsers}}
	for _, q := range all {
		switch q.Kind {
		case Accounts:
			for _, a := range q.Accounts {
				passes = append(passes, pass{source: fromOwner, argument: a}, pass{source: fromUsers, argument: a})
			}
		case Logins:
			passes = append(passes, pass{source: fromLogins, from: q.From, to: q.To})
		case Tunnels:
			passes = append(passes, pass{source: fromTunnels, from: q.From, to: q.To})
		case Stores:
			if slices.Equal(slices.Compact(slices.Sorted(slices.Values(q.Stores))), []string{"gateways"}) {
				passes = append(passes, pass{source: fromOwners}, pass{source: fromUsers})
				continue
			}
			passes = append(passes, everyone...)
		default:
			passes = append(passes, everyone...)
		}
	}
	if len(passes) == 0 {
		passes = everyone
	}
	return passes
}

func addPassesTx(ctx context.Context, tx *db.Tx, incident string, all []pass) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM incident_pass WHERE incident = $1", incident)
	if err != nil {
		return err
	}
	for _, p := range all {
		n++
		_, err := tx.Exec(ctx, `INSERT INTO incident_pass (incident, number, source, argument, from_at, to_at, position, done_at)
			VALUES ($1, $2, $3, $4, $5, $6, '', 0)`, incident, n, p.source, p.argument, db.Micros(p.from), db.Micros(p.to))
		if err != nil {
			return err
		}
	}
	return nil
}

// affected is a person whom an incident reaches. A VPN user whose client is
// deleted is known by the client's id: counted, and not to be reached.
type affected struct {
	subject string
	kind    string // account, user or gone
}

// pageSize is how many people one transaction lists or tells.
const pageSize = 200

// page reads on in a source. next is empty at the end.
func (s *Service) page(ctx context.Context, p pass) (all []affected, next string, err error) {
	switch p.source {
	case fromOwner:
		owner, err := s.d.People.Owner(ctx, account.ID(p.argument))
		if err != nil {
			if errs.IsNotFound(err) {
				return nil, "", nil
			}
			return nil, "", err
		}
		return []affected{{string(owner), "account"}}, "", nil
	case fromPeople, fromLogins:
		return s.peoplePage(ctx, p)
	case fromOwners:
		return s.ownersPage(ctx, p)
	case fromTunnels:
		return s.tunnelsPage(ctx, p)
	}
	users, err := s.d.Users.Users(ctx, account.ID(p.argument), p.position, pageSize)
	for _, u := range users {
		all, next = append(all, affected{string(u.Subject), "user"}), u.Client
	}
	return all, more(next, len(users)), err
}

// more is where to read on after a page of n, or nothing.
func more(next string, n int) string {
	if n < pageSize {
		return ""
	}
	return next
}

func (s *Service) peoplePage(ctx context.Context, p pass) (all []affected, next string, err error) {
	var got []id.Handle
	if p.source == fromPeople {
		got, err = s.d.People.People(ctx, id.Handle(p.position), pageSize)
	} else {
		got, err = s.d.People.SeenBetween(ctx, p.from, p.to, id.Handle(p.position), pageSize)
	}
	for _, h := range got {
		all, next = append(all, affected{string(h), "account"}), string(h)
	}
	return all, more(next, len(got)), err
}

func (s *Service) ownersPage(ctx context.Context, p pass) (all []affected, next string, err error) {
	got, err := s.d.Users.GatewayAccounts(ctx, account.ID(p.position), pageSize)
	for _, a := range got {
		next = string(a)
		owner, err := s.d.People.Owner(ctx, a)
		if errs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		all = append(all, affected{string(owner), "account"})
	}
	return all, more(next, len(got)), err
}

func (s *Service) tunnelsPage(ctx context.Context, p pass) (all []affected, next string, err error) {
	got, err := s.d.Session.ClientsBetween(ctx, p.from, p.to, p.position, pageSize)
	for _, client := range got {
		next = client
		u, err := s.d.Users.UserOf(ctx, client)
		switch {
		case errs.IsNotFound(err):
			all = append(all, affected{client, "gone"})
		case err != nil:
			return nil, "", err
		default:
			all = append(all, affected{string(u.Subject), "user"})
		}
	}
	return all, more(next, len(got)), err
}

// count lists the people of all passes, page by page, and then grades. Killed,
// it goes on where the last page ended; a person is in the list once.
func (s *Service) count(ctx context.Context, incident string) error {
	for {
		open, err := db.Select(ctx, s.d.DB, scanPass, `SELECT number, source, argument, from_at, to_at, position FROM incident_pass
			WHERE incident = $1 AND done_at = 0 ORDER BY number LIMIT 1`, incident)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return s.grade(ctx, incident)
		}
		if err := s.listPage(ctx, incident, open[0]); err != nil {
			return err
		}
		fault.Point("incident-listed-page")
	}
}

func scanPass(r db.Row) (p pass, err error) {
	var from, to int64
	err = r.Scan(&p.number, &p.source, &p.argument, &from, &to, &p.position)
	p.from, p.to = db.FromMicros(from), db.FromMicros(to)
	return p, err
}

func (s *Service) listPage(ctx context.Context, incident string, p pass) error {
	all, next, err := s.page(ctx, p)
	if err != nil {
		return err
	}
	minors, err := s.minorsOf(ctx, all)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, a := range all {
			_, err := tx.Exec(ctx, "INSERT INTO incident_person (incident, subject, kind, minor) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
				incident, a.subject, a.kind, db.Bool(minors[a.subject]))
			if err != nil {
				return err
			}
		}
		done := int64(0)
		if next == "" {
			done = db.Micros(s.d.Clock.Now())
		}
		// Another process may have read the same page: then it has written it too.
		_, err := tx.Exec(ctx, "UPDATE incident_pass SET position = $1, done_at = $2 WHERE incident = $3 AND number = $4 AND position = $5 AND done_at = 0",
			next, done, incident, p.number, p.position)
		return err
	})
}

func (s *Service) minorsOf(ctx context.Context, all []affected) (map[string]bool, error) {
	found := map[string]bool{}
	if s.d.Minors == nil {
		return found, nil
	}
	for _, a := range all {
		minor, err := s.d.Minors.Minor(ctx, id.Handle(a.subject))
		if err != nil {
			return nil, err
		}
		found[a.subject] = minor
	}
	return found, nil
}

// grade notes the number of people and what follows from it.
func (s *Service) grade(ctx context.Context, incident string) error {
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		if i.State != Counting {
			return nil
		}
		n, err := s.d.Counter(ctx, tx, incident)
		if err != nil {
			return err
		}
		if n < i.People {
			n = i.People // who was counted once stays counted
		}
		i.People, i.CountedAt = n, s.d.Clock.Now()
		if err := applyTx(ctx, tx, i.ID, i.authorityRule(), i.reported(), i.CountedAt); err != nil {
			return err
		}
		if err := s.stepTx(ctx, tx, system, i.ID, "counted", map[string]string{"people": itoa(n), "grade": string(i.Grade())}); err != nil {
			return err
		}
		return s.resumeTx(ctx, tx, i)
	})
}

// resumeTx leaves counting: to where people are to be told, or on with the
// notices that have gone out, for those who are new in the list.
func (s *Service) resumeTx(ctx context.Context, tx *db.Tx, i *Incident) (err error) {
	sent, err := db.Select(ctx, tx, db.One[string], "SELECT id FROM incident_notice WHERE incident = $1 AND sent_at > 0", i.ID)
	if err != nil {
		return err
	}
	if len(sent) == 0 {
		i.State, err = i.State.On(EventCounted)
		return err
	}
	if i.State, err = i.State.On(EventResume); err != nil {
		return err
	}
	for _, n := range sent {
		_, err := tx.Exec(ctx, "UPDATE incident_notice SET state = 'sending', position = '', done_at = 0 WHERE id = $1", n)
		if err != nil {
			return err
		}
		if err := s.enqueueTx(ctx, tx, kindFanout, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) enqueueTx(ctx context.Context, tx *db.Tx, kind, what string) error {
	return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: kind, Payload: ref{what}, Key: kind + ":" + what})
}
