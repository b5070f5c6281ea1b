package vpn

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/precondition"
)

// GatewayQuota is how many gateways an account may have in a region.
const GatewayQuota = 30

// NewGateway is what the module service asks for.
type NewGateway struct {
	Key     string // of the order line: the same key is the same gateway
	Account account.ID
	Subject id.Handle
	Name    string
	Region  string
	Network string
	Limits
}

var namePattern = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}_.-]*$`)

// MaxName is how many characters a name has at most.
const MaxName = 64

const (
	nameShortest         = 2
	maxBandwidth         = 1000 // Mbit/s
	maxConnections       = 1000
	clientsPerConnection = 4
)

// checkName holds a name to the native rule: 2-64 characters, letters of any
// script, digits, "_", "." and "-", beginning with a letter or digit.
func checkName(name string) error {
	n := utf8.RuneCountInString(name)
	if n < nameShortest || n > MaxName || !namePattern.MatchString(name) {
		return ErrNameInvalid
	}
	return nil
}

// HasSSL tells whether the SSL service was bought.
func (l Limits) HasSSL() bool { return l.SSLConnections > 0 }

func (l Limits) check() error {
	if l == (Limits{}) {
		return nil
	}
	if l.SSLBandwidth < 1 || l.SSLBandwidth > maxBandwidth || l.SSLConnections < 1 || l.SSLConnections > maxConnections {
		return ErrLimits
	}
	return nil
}

// Create makes a gateway and gives it to a node. It becomes active when the
// node has applied it (TopicChanged). A repeat with the same key returns the
// first one. Errors that a repeat cannot mend: ErrNameInvalid,
// ErrNameDuplicate, ErrLimits, ErrNetworkNotFound, ErrQuota.
func (s *Service) Create(ctx context.Context, in NewGateway) (Gateway, error) {
	if err := s.checkNew(in); err != nil {
		return Gateway{}, err
	}
	var made Gateway
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		made, err = gatewayByOrigin(ctx, tx, in.Key)
		if !errs.IsNotFound(err) {
			return err
		}
		made, err = s.createTx(ctx, tx, in)
		return err
	})
	return made, err
}

// checkNew checks what needs no database.
func (s *Service) checkNew(in NewGateway) error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	_, err := s.network(in.Account, in.Region, in.Network)
	return err
}

// Check says why Create would refuse now; nil if it would not. Between the two
// things may change: Create checks again.
func (s *Service) Check(ctx context.Context, in NewGateway) error {
	if err := s.checkNew(in); err != nil {
		return err
	}
	return roomForGateway(ctx, s.db, in)
}

func roomForGateway(ctx context.Context, q db.Q, in NewGateway) error {
	n, err := countGateways(ctx, q, in.Account, in.Region)
	if err != nil {
		return err
	}
	if err := holdQuota(ctx, q, in.Account, QuotaGateways, GatewayQuota, n); err != nil {
		return err
	}
	if in.HasSSL() {
		if err := roomForSSL(ctx, q, in.Account); err != nil {
			return err
		}
	}
	return gatewayNameFree(ctx, q, Gateway{Account: in.Account, Region: in.Region}, in.Name)
}

// roomForSSL refuses one more gateway with the SSL service.
func roomForSSL(ctx context.Context, q db.Q, owner account.ID) error {
	n, err := countSSLGateways(ctx, q, owner)
	if err != nil {
		return err
	}
	return holdQuota(ctx, q, owner, QuotaSSLGateways, SSLGatewayQuota, n)
}

func (s *Service) createTx(ctx context.Context, tx *db.Tx, in NewGateway) (Gateway, error) {
	if err := roomForGateway(ctx, tx, in); err != nil {
		return Gateway{}, err
	}
	now := s.clock.Now()
	g := Gateway{
		ID: id.Resource("vpngw"), Account: in.Account, Name: in.Name, Region: in.Region, Network: in.Network,
		State: GatewayCreating, Limits: in.Limits, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	a, err := s.fleet.AssignTx(ctx, tx, g.ID, g.Region)
	if err != nil {
		return Gateway{}, err
	}
	g.Node, g.Addresses = a.Node, a.Addresses
	if err := insertGateway(ctx, tx, g, in.Key); err != nil {
		return Gateway{}, err
	}
	return g, s.recordJob(ctx, tx, g.Account, in.Subject, "vpn.gateway_created", map[string]string{"gateway": g.ID, "region": g.Region})
}

// ByKey returns the gateway that was made with a key; ErrGatewayNotFound if
// the key was never used. It is for the provider, not for customers.
func (s *Service) ByKey(ctx context.Context, key string) (Gateway, error) {
	return gatewayByOrigin(ctx, s.db, key)
}

// KeyOf returns the key that a gateway was made with.
func (s *Service) KeyOf(ctx context.Context, gateway string) (string, error) {
	return db.Get(ctx, s.db, ErrGatewayNotFound, db.One[string], "SELECT origin FROM vpn_gateway WHERE id = $1", gateway)
}

// Gateways lists an account's gateways by id; next is the cursor of the
// following page, empty at the end.
func (s *Service) Gateways(ctx context.Context, owner account.ID, page Page) (all []Gateway, next string, err error) {
	all, err = gatewaysOf(ctx, s.db, owner, page)
	if err != nil {
		return nil, "", err
	}
	for i := range all {
		if all[i].Addresses, err = s.addresses(ctx, all[i].ID); err != nil {
			return nil, "", err
		}
	}
	all, next = cut(all, page.limit(), func(g Gateway) string { return g.ID })
	return all, next, nil
}

// cut takes one row more than the page off a list and makes it the cursor.
func cut[T any](all []T, limit int, key func(T) string) ([]T, string) {
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], key(all[limit-1])
}

// Gateway returns one gateway of an account.
func (s *Service) Gateway(ctx context.Context, owner account.ID, gateway string) (Gateway, error) {
	g, err := gatewayFor(ctx, s.db, owner, gateway)
	if err != nil {
		return Gateway{}, err
	}
	g.Addresses, err = s.addresses(ctx, g.ID)
	return g, err
}

func (s *Service) addresses(ctx context.Context, gateway string) ([]netip.Addr, error) {
	a, err := s.fleet.Assignment(ctx, gateway)
	if errs.IsNotFound(err) {
		return nil, nil // being deleted
	}
	return a.Addresses, err
}

// sameVersion holds a change to the version that it was made from (0 = whatever)
// and to the condition of the request.
func sameVersion(ctx context.Context, asked, is int64) error {
	if err := precondition.Check(ctx, is); err != nil {
		return err
	}
	if asked != 0 && asked != is {
		return ErrStale
	}
	return nil
}

// Freeze stops a gateway, keeping its configuration, or starts it again. It is
// for the provider; doing it twice changes nothing.
func (s *Service) Freeze(ctx context.Context, gateway string, on bool) error {
	kind := map[bool]string{true: "vpn.gateway_frozen", false: "vpn.gateway_thawed"}[on]
	return s.change(ctx, gateway, kind, func(tx *db.Tx, g *Gateway) error {
		switch {
		case g.State == GatewayDeleting || g.State == GatewayDeleted:
			return ErrState
		case on == (g.State == GatewayFrozen):
			return errNothing
		case !on:
			g.State = GatewayUpdating
			return nil
		}
		g.State = GatewayFrozen
		return s.endAllTx(ctx, tx, g.ID, gwlink.ReasonFrozen)
	})
}

// errNothing ends a change that has nothing to do.
var errNothing = errors.New("nothing to change")

func (s *Service) change(ctx context.Context, gateway, kind string, fn func(*db.Tx, *Gateway) error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error { return s.changeTx(ctx, tx, gateway, kind, fn) })
}

// changeTx lets fn change a gateway and tells its node. An fn that returns
// errNothing must not have written.
func (s *Service) changeTx(ctx context.Context, tx *db.Tx, gateway, kind string, fn func(*db.Tx, *Gateway) error) error {
	g, err := gatewayByID(ctx, tx, gateway)
	if err != nil {
		return err
	}
	err = fn(tx, &g)
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := updateGateway(ctx, tx, g, s.clock.Now()); err != nil {
		return err
	}
	if _, err := s.fleet.ChangedTx(ctx, tx, gateway); err != nil && !errs.IsNotFound(err) {
		return err
	}
	if err := s.recordJob(ctx, tx, g.Account, "", kind, map[string]string{"gateway": gateway}); err != nil {
		return err
	}
	return s.queue.PublishTx(ctx, tx, TopicChanged, Changed{Gateway: g.ID, State: string(g.State)})
}

// Delete removes a gateway with everything in it; without cascade it refuses
// with ErrInUse while there are SSL servers. It stays deleting until its node
// has removed it, and its id is never used again. It is for the provider; doing
// it twice changes nothing.
func (s *Service) Delete(ctx context.Context, gateway string, cascade bool) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error { return s.DeleteTx(ctx, tx, gateway, cascade) })
}

// DeleteTx is Delete inside the caller's transaction.
func (s *Service) DeleteTx(ctx context.Context, tx *db.Tx, gateway string, cascade bool) error {
	return s.changeTx(ctx, tx, gateway, "vpn.gateway_deleted", func(tx *db.Tx, g *Gateway) error {
		if g.State == GatewayDeleting || g.State == GatewayDeleted {
			return errNothing
		}
		if err := sameVersion(ctx, 0, g.Version); err != nil {
			return err
		}
		if err := s.emptyTx(ctx, tx, gateway, cascade); err != nil {
			return err
		}
		g.State, g.Problem = GatewayDeleting, ""
		if err := s.endAllTx(ctx, tx, gateway, gwlink.ReasonAdministrator); err != nil {
			return err
		}
		err := s.fleet.ReleaseTx(ctx, tx, gateway)
		if errs.IsNotFound(err) { // no node ever ran it
			g.State = GatewayDeleted
			return nil
		}
		return err
	})
}

// emptyTx deletes the SSL servers of a gateway; ErrInUse if there are any and it
// may not.
func (s *Service) emptyTx(ctx context.Context, tx *db.Tx, gateway string, cascade bool) error {
	servers, err := serversOfGateway(ctx, tx, gateway)
	if err != nil {
		return err
	}
	if len(servers) > 0 && !cascade {
		return ErrInUse
	}
	for _, srv := range servers {
		if err := s.dropServerTx(ctx, tx, srv); err != nil {
			return err
		}
	}
	return nil
}

// onReleased ends a gateway that its node has removed.
func (s *Service) onReleased(ctx context.Context, e fleet.Released) error {
	return s.change(ctx, e.Gateway, "vpn.gateway_gone", func(_ *db.Tx, g *Gateway) error {
		if g.State != GatewayDeleting {
			return errNothing
		}
		g.State = GatewayDeleted
		return nil
	})
}

// onObserved takes what a node says of a gateway: applied brings creating and
// updating to active, failed to error.
func (s *Service) onObserved(ctx context.Context, o fleet.Observed) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		g, err := gatewayByID(ctx, tx, o.Gateway)
		if errs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		a, err := s.fleet.AssignmentTx(ctx, tx, o.Gateway)
		if errs.IsNotFound(err) {
			return nil // released in the meantime
		}
		if err != nil {
			return err
		}
		if o.Generation < a.Generation {
			return nil // of an older state; a newer observation follows
		}
		servers := serversFailed
		if o.State == "applied" {
			servers = serversApplied
		}
		if err := servers(ctx, tx, g.ID, s.clock.Now()); err != nil {
			return err
		}
		next := g.observed(o)
		if next.State == g.State && next.Problem == g.Problem {
			return nil
		}
		if err := updateGateway(ctx, tx, next, s.clock.Now()); err != nil {
			return err
		}
		return s.queue.PublishTx(ctx, tx, TopicChanged, Changed{Gateway: g.ID, State: string(next.State)})
	})
}

// observed is the transition by a node's word.
func (g Gateway) observed(o fleet.Observed) Gateway {
	switch g.State {
	case GatewayCreating, GatewayUpdating, GatewayError, GatewayActive:
	default:
		return g
	}
	if o.State == "applied" {
		g.State, g.Problem = GatewayActive, ""
		return g
	}
	g.State, g.Problem = GatewayError, "vpn.node_failed"
	return g
}

// quotaOfServers is how many SSL servers the gateway may have.
func (g Gateway) quotaOfServers() int {
	if !g.HasSSL() {
		return 0
	}
	return ServerQuota
}

// quotaOfClients is how many SSL clients a server may have.
func (g Gateway) quotaOfClients(ctx context.Context, q db.Q) (int, error) {
	return quotaOf(ctx, q, g.Account, QuotaClients, g.SSLConnections*clientsPerConnection)
}
