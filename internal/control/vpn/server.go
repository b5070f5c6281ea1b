package vpn

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
)

// ServerQuota is how many SSL servers a gateway may have.
const ServerQuota = 1

// NewServer is what a customer asks for. Gateway and port are fixed afterwards.
type NewServer struct {
	Key     string // of the request; the same key is the same server; empty: always another
	Gateway string
	Port    int // 0 = 443
	Settings
}

// CreateServer makes an SSL server with a CA of its own. It becomes active when
// the node has got a certificate for it and applied it.
func (s *Service) CreateServer(ctx context.Context, p account.Principal, in NewServer) (SSLServer, error) {
	if in.Port == 0 {
		in.Port = 443
	}
	if err := s.checkPort(in.Port); err != nil {
		return SSLServer{}, err
	}
	now := s.clock.Now()
	srv := SSLServer{
		ID: newID("sslsrv", p.Account, in.Key), Gateway: in.Gateway, Account: p.Account, Settings: in.Settings, Port: in.Port,
		State: ServerCreating, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	made, err := s.Server(ctx, p.Account, srv.ID)
	if !errs.IsNotFound(err) {
		return made, same(err, made.Gateway == srv.Gateway && made.Name == srv.Name)
	}
	ca, err := s.newAuthority(ctx, srv.ID, now)
	if err != nil {
		return SSLServer{}, err
	}
	srv.CA = ca.certificate
	fault.Point("vpn-after-authority")
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		g, err := gatewayFor(ctx, tx, p.Account, in.Gateway)
		if err != nil {
			return err
		}
		if err := neverUsed(ctx, tx, srv.ID); err != nil {
			return err
		}
		if err := s.admitServer(ctx, tx, g, srv); err != nil {
			return err
		}
		if err := insertServer(ctx, tx, srv, ca.sealed); err != nil {
			return err
		}
		if err := s.bindCertificatesTx(ctx, tx, srv, Settings{}); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, g.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.server_created", map[string]string{"gateway": g.ID, "server": srv.ID})
	})
	fault.Point("vpn-after-server")
	if err != nil {
		return SSLServer{}, err
	}
	return s.Server(ctx, p.Account, srv.ID)
}

// newID names something new: after the key of the request that makes it, so
// that a repeat whose first answer was lost finds it, else at random.
func newID(prefix string, owner account.ID, key string) string {
	if key == "" {
		return id.Resource(prefix)
	}
	return id.ResourceOf(prefix, string(owner), key)
}

// buryTx keeps the id of what is deleted: one that was made after a request's key
// must not come into being again when the request does.
func buryTx(ctx context.Context, tx *db.Tx, gone string, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO vpn_gone (id, gone_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", gone, db.Micros(now))
	return err
}

// neverUsed refuses the id of something that was deleted.
func neverUsed(ctx context.Context, q db.Q, wanted string) error {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_gone WHERE id = $1", wanted)
	if err == nil && n > 0 {
		err = idempotency.ErrConflict
	}
	return err
}

// same refuses a key that made something else.
func same(err error, is bool) error {
	if err == nil && !is {
		return idempotency.ErrConflict
	}
	return err
}

// admitServer counts and checks in the creating transaction.
func (s *Service) admitServer(ctx context.Context, tx *db.Tx, g Gateway, srv SSLServer) error {
	if err := g.changeable(); err != nil {
		return err
	}
	if !g.HasSSL() {
		return ErrServiceMissing.With("service", "SSL VPN")
	}
	others, err := serversOfGateway(ctx, tx, g.ID)
	if err != nil {
		return err
	}
	if len(others) >= ServerQuota {
		return ErrQuota.With("limit", ServerQuota)
	}
	if err := serverNameFree(ctx, tx, g, srv); err != nil {
		return err
	}
	return s.checkSettings(ctx, tx, g, srv)
}

// checkSettings holds a server's settings to its gateway, to the VPC and to the
// account's other servers in it, on whichever gateway: their pools are networks
// of the same place.
func (s *Service) checkSettings(ctx context.Context, q db.Q, g Gateway, srv SSLServer) error {
	vpc, err := s.network(g.Account, g.Region, g.Network)
	if err != nil {
		return err
	}
	others, err := serversOfNetwork(ctx, q, g)
	if err != nil {
		return err
	}
	var pools []netip.Prefix
	for _, o := range others {
		if o.ID != srv.ID {
			pools = append(pools, o.pools()...)
		}
	}
	if len(srv.LocalSubnets) > maxLocalSubnets {
		return ErrSubnets
	}
	if err := g.checkOffered(srv.LocalSubnets, vpc.Prefixes); err != nil {
		return err
	}
	srv.LocalSubnets = g.reaches(srv.Settings, vpc.Prefixes)
	return srv.Settings.check(vpc.Prefixes, pools, g.SSLConnections)
}

// named fills what is derived from the configuration and the certificate.
func (s *Service) named(srv SSLServer) SSLServer {
	srv.ServerNames = append(s.claimed(srv.Uploaded), s.ownName(srv.ID))
	// A name that stands for many is none to connect by.
	slices.SortStableFunc(srv.ServerNames, func(a, b string) int { return strings.Count(a, "*") - strings.Count(b, "*") })
	srv.PinSHA256 = pinOf(srv.shown())
	return srv
}

// ownName is a server's name in the installation's domain. The built-in CA
// certifies it for no other.
func (s *Service) ownName(server string) string { return server + "." + s.config.BaseDomain }

// Servers lists an account's SSL servers, of one gateway if it is named.
func (s *Service) Servers(ctx context.Context, owner account.ID, gateway string, page Page) (all []SSLServer, next string, err error) {
	all, err = serversFor(ctx, s.db, owner, gateway, page)
	if err != nil {
		return nil, "", err
	}
	for i := range all {
		all[i] = s.named(all[i])
	}
	all, next = cut(all, page.limit(), func(v SSLServer) string { return v.ID })
	return all, next, nil
}

// Server returns one SSL server of an account.
func (s *Service) Server(ctx context.Context, owner account.ID, server string) (SSLServer, error) {
	srv, err := serverFor(ctx, s.db, owner, server)
	return s.named(srv), err
}

// UpdateServer replaces the settings of a server. version is that of the
// server which next was made from (0 = whatever): ErrStale if another change
// came between. A change of the pool or of the factors ends its sessions; fewer
// sessions for each client end the oldest ones.
func (s *Service) UpdateServer(ctx context.Context, p account.Principal, server string, version int64, next Settings) (SSLServer, error) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		srv, err := serverFor(ctx, tx, p.Account, server)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, version, srv.Version); err != nil {
			return err
		}
		return s.updateServerTx(ctx, tx, p, srv, next)
	})
	if err != nil {
		return SSLServer{}, err
	}
	return s.Server(ctx, p.Account, server)
}

func (s *Service) updateServerTx(ctx context.Context, tx *db.Tx, p account.Principal, srv SSLServer, next Settings) error {
	g, err := gatewayByID(ctx, tx, srv.Gateway)
	if err != nil {
		return err
	}
	if err := g.changeable(); err != nil {
		return err
	}
	old := srv.Settings
	srv.Settings = next
	if err := s.checkSettings(ctx, tx, g, srv); err != nil {
		return err
	}
	if err := serverNameFree(ctx, tx, g, srv); err != nil {
		return err
	}
	if err := s.networksFit(ctx, tx, srv); err != nil {
		return err
	}
	if err := s.bindCertificatesTx(ctx, tx, srv, old); err != nil {
		return err
	}
	if srv.State == ServerActive || srv.State == ServerError {
		srv.State = ServerUpdating
	}
	if err := updateServer(ctx, tx, srv, s.clock.Now()); err != nil {
		return err
	}
	if err := s.dropGroupsTx(ctx, tx, srv); err != nil {
		return err
	}
	if err := s.followServerTx(ctx, tx, srv, old); err != nil {
		return err
	}
	if _, err := s.fleet.ChangedTx(ctx, tx, srv.Gateway); err != nil {
		return err
	}
	return s.record(ctx, tx, p, "vpn.server_changed", tellChanges(map[string]string{"server": srv.ID}, old.told(), srv.told()))
}

// followServerTx ends the sessions that may not live by a server's new settings.
func (s *Service) followServerTx(ctx context.Context, tx *db.Tx, srv SSLServer, old Settings) error {
	if endsSessions(old, srv.Settings) {
		return s.endServerTx(ctx, tx, srv, gwlink.ReasonAdministrator)
	}
	if srv.MaxSessionsPerClient < old.MaxSessionsPerClient {
		return s.endSurplusTx(ctx, tx, srv, "")
	}
	return nil
}

// DeleteServer removes a server; ErrInUse while it has clients.
func (s *Service) DeleteServer(ctx context.Context, p account.Principal, server string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		srv, err := serverFor(ctx, tx, p.Account, server)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, 0, srv.Version); err != nil {
			return err
		}
		n, err := countClients(ctx, tx, server)
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrInUse
		}
		if err := s.dropServerTx(ctx, tx, srv); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, srv.Gateway); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.server_deleted", map[string]string{"server": srv.ID})
	})
}

// dropServerTx deletes a server and whatever hangs on it.
func (s *Service) dropServerTx(ctx context.Context, tx *db.Tx, srv SSLServer) error {
	if err := s.endServerTx(ctx, tx, srv, gwlink.ReasonRevoked); err != nil {
		return err
	}
	clients, err := clientsOfServer(ctx, tx, srv.ID)
	if err != nil {
		return err
	}
	for _, c := range clients {
		if err := s.dropClientTx(ctx, tx, c); err != nil {
			return err
		}
	}
	if err := buryTx(ctx, tx, srv.ID, s.clock.Now()); err != nil {
		return err
	}
	for _, text := range []string{"DELETE FROM vpn_revoked WHERE server = $1", "DELETE FROM vpn_conversation WHERE server = $1", "DELETE FROM vpn_server WHERE id = $1"} {
		if _, err := tx.Exec(ctx, text, srv.ID); err != nil {
			return err
		}
	}
	return dropCertificates(ctx, tx, srv.ID)
}

// CertifyServer answers a node's request for a certificate of a server's own
// key. The key never leaves the node. A repeat for the same key gives the same
// chain while it is fresh; another key replaces it.
func (s *Service) CertifyServer(ctx context.Context, node string, r gwlink.CertificateRequest) (gwlink.CertificateAnswer, error) {
	srv, err := serverByID(ctx, s.db, r.Server)
	if err != nil {
		return gwlink.CertificateAnswer{}, err
	}
	a, err := s.fleet.Assignment(ctx, srv.Gateway)
	if err != nil {
		return gwlink.CertificateAnswer{}, err
	}
	if a.Node != node {
		return gwlink.CertificateAnswer{}, ErrServerNotFound
	}
	csr, err := parseRequest(r.CSR)
	if err != nil {
		return gwlink.CertificateAnswer{}, err
	}
	srv.ServerNames = []string{s.ownName(srv.ID)}
	now := s.clock.Now()
	if stillGood(srv, csr, a.Addresses, now) {
		return gwlink.CertificateAnswer{Chain: srv.Chain}, nil
	}
	chain, err := s.issueServer(ctx, srv, csr, a.Addresses, now)
	if err != nil {
		return gwlink.CertificateAnswer{}, err
	}
	fault.Point("vpn-after-issue")
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := setChain(ctx, tx, srv.ID, chain, now); err != nil {
			return err
		}
		_, err := s.fleet.ChangedTx(ctx, tx, srv.Gateway)
		return err
	})
	fault.Point("vpn-after-certify")
	return gwlink.CertificateAnswer{Chain: chain}, err
}

// GatewaysOf fills fleet.Source.
func (s *Service) GatewaysOf(ctx context.Context, ids []string) ([]gwlink.Gateway, error) {
	all := []gwlink.Gateway{}
	for _, gid := range ids {
		g, err := gatewayByID(ctx, s.db, gid)
		if err != nil {
			return nil, err
		}
		if g.State == GatewayDeleting || g.State == GatewayDeleted {
			continue
		}
		w, err := s.wire(ctx, g)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// wire writes a gateway in the words of the contract with the nodes.
func (s *Service) wire(ctx context.Context, g Gateway) (gwlink.Gateway, error) {
	rate := int64(g.SSLBandwidth) * 1_000_000
	w := gwlink.Gateway{
		ID: g.ID, State: gwlink.GatewayActive, Network: g.Network, UpRate: rate, DownRate: rate,
		SessionLimit: g.SSLConnections, SSLServers: []gwlink.SSLServer{},
	}
	if g.State == GatewayFrozen {
		w.State = gwlink.GatewayFrozen
	}
	servers, err := serversOfGateway(ctx, s.db, g.ID)
	if err != nil {
		return gwlink.Gateway{}, err
	}
	// A VPC that is no longer configured leaves what clients reach to the servers.
	vpc, _ := s.network(g.Account, g.Region, g.Network)
	for _, srv := range servers {
		srv.LocalSubnets = g.reaches(srv.Settings, vpc.Prefixes)
		ws, err := s.wireServer(ctx, s.named(srv))
		if err != nil {
			return gwlink.Gateway{}, err
		}
		w.SSLServers = append(w.SSLServers, ws)
	}
	return w, nil
}

func (s *Service) wireServer(ctx context.Context, v SSLServer) (gwlink.SSLServer, error) {
	w := gwlink.SSLServer{
		ID: v.ID, Name: v.Name, ServerNames: v.ServerNames, Port: v.Port, UDP: v.UDP, Pool: v.Pool, Pool6: v.Pool6,
		DefaultDomains: v.DefaultDomains, ClientBypass: v.ClientBypass, MobileDPD: v.MobileDPD,
		LocalSubnets: v.LocalSubnets, ExcludeRoutes: v.ExcludeRoutes, FullTunnel: v.FullTunnel, Banner: v.Banner, MTU: v.MTU, DPD: v.DPD,
		Keepalive: v.Keepalive, IdleTimeout: v.IdleTimeout, MobileIdle: v.MobileIdleTimeout, SessionTimeout: v.SessionTimeout, CookieTimeout: v.CookieTimeout,
		RekeyTime: v.RekeyTime, ClientIsolation: v.ClientIsolation, TLSMin: v.TLSMin, TLSMax: v.TLSMax, DenyRoaming: v.DenyRoaming, LargeSegments: v.LargeSegments,
		LoginMode: gwlink.LoginMode(v.LoginMode), RequireCertificate: v.LoginMode.wantsCertificate(), Groups: v.wireGroups(),
		Certificate: v.CertID, Chain: v.shown(), KeepSeed: v.KeepSeed,
		ACL: wireACL(v.ACLRules), ACLDeny: !v.ACLDefaultAllow,
	}
	if v.EnableDNS {
		w.DNS, w.SplitDNS = v.DNS, v.SplitDNS
	}
	var err error
	if w.ClientCAs, err = s.trust(ctx, v); err != nil {
		return gwlink.SSLServer{}, err
	}
	w.RevokedSerials, err = db.Select(ctx, s.db, db.One[string], "SELECT serial FROM vpn_revoked WHERE server = $1 AND not_after > $2 ORDER BY serial",
		v.ID, db.Micros(s.clock.Now()))
	if err != nil {
		return gwlink.SSLServer{}, err
	}
	if w.Blocked, err = blocked(ctx, s.db, v.ID, s.clock.Now()); err != nil {
		return gwlink.SSLServer{}, err
	}
	clients, err := clientsOfServer(ctx, s.db, v.ID)
	if err != nil {
		return gwlink.SSLServer{}, err
	}
	clients = slices.DeleteFunc(clients, func(c SSLClient) bool { return c.State != ClientEnabled })
	for _, c := range clients {
		w.Clients = append(w.Clients, gwlink.Client{ID: c.ID, UpRate: c.UpRate, DownRate: c.DownRate, FixedInner: c.FixedIP, FixedInner6: c.FixedIP6, Routes: c.Routes, Expires: c.ExpiresAt, Pardoned: c.pardoned})
	}
	return w, nil
}
