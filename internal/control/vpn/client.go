package vpn

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
)

// NewClient is what a customer asks for. Without a CSR the key is made here and
// can be read with the bundle for a time.
type NewClient struct {
	Key    string // of the request; the same key is the same client; empty: always another
	Server string
	Name   string
	CSR    []byte    // DER; empty = make a key
	Token  TokenKind // what makes its codes; empty = TokenTOTP
	Enrols bool      // the person sets the token up by a link: no seed is made here, and no login works before
	ClientSettings
}

// material is what is made for a client before the transaction that inserts
// it: hashing, signing and sealing take time and ask the key store.
type material struct {
	hash, password        string
	sealedPassword        []byte
	sealedKey, sealedTOTP []byte
	certificate           *x509.Certificate
}

// CreateClient makes a login account: a random password, a certificate and,
// where the server asks for two factors, a code seed.
func (s *Service) CreateClient(ctx context.Context, p account.Principal, in NewClient) (SSLClient, error) {
	if err := checkName(in.Name); err != nil {
		return SSLClient{}, err
	}
	srv, err := serverFor(ctx, s.db, p.Account, in.Server)
	if err != nil {
		return SSLClient{}, err
	}
	if in.State == "" {
		in.State = ClientEnabled
	}
	if in.Token, err = in.Token.check(); err != nil {
		return SSLClient{}, err
	}
	now := s.clock.Now()
	until := s.secretUntil(now)
	c := SSLClient{
		ID: newID("sslcli", p.Account, in.Key), Server: srv.ID, Gateway: srv.Gateway, Account: p.Account, Subject: id.NewHandle(), Name: in.Name,
		ClientSettings: in.ClientSettings, Token: in.Token, Readable: Readable{until, until, until}, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	made, err := s.Client(ctx, p.Account, c.ID)
	if !errs.IsNotFound(err) {
		return made, same(err, made.Server == c.Server && made.Name == c.Name)
	}
	if err := s.roomForClient(ctx, s.db, p.Account, srv.ID, c); err != nil {
		return SSLClient{}, err // before the work; counted again in the transaction
	}
	m, err := s.newMaterial(ctx, srv, c, in)
	if err != nil {
		return SSLClient{}, err
	}
	c.Certificate, c.Serial, c.NotAfter = m.certificate.Raw, serialText(m.certificate.SerialNumber), m.certificate.NotAfter
	c.HasToken = len(m.sealedTOTP) > 0
	fault.Point("vpn-after-material")
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := neverUsed(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := s.roomForClient(ctx, tx, p.Account, srv.ID, c); err != nil {
			return err
		}
		if err := insertClient(ctx, tx, c, m); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, c.Gateway); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.client_created", map[string]string{"server": srv.ID, "client": c.ID})
	})
	fault.Point("vpn-after-client")
	return c, err
}

// roomForClient checks limit, name and settings.
func (s *Service) roomForClient(ctx context.Context, q db.Q, owner account.ID, server string, c SSLClient) error {
	return s.roomForClients(ctx, q, owner, server, c, 0)
}

// roomForClients is roomForClient after others of the same batch.
func (s *Service) roomForClients(ctx context.Context, q db.Q, owner account.ID, server string, c SSLClient, others int) error {
	srv, err := serverFor(ctx, q, owner, server)
	if err != nil {
		return err
	}
	g, err := gatewayByID(ctx, q, srv.Gateway)
	if err != nil {
		return err
	}
	if err := g.changeable(); err != nil {
		return err
	}
	n, err := countClients(ctx, q, server)
	if err != nil {
		return err
	}
	if err := holdQuota(ctx, q, owner, QuotaClients, g.SSLConnections*clientsPerConnection, n+int64(others)); err != nil {
		return err
	}
	if err := c.ClientSettings.check(g, srv, s.clock.Now()); err != nil {
		return err
	}
	if err := s.checkRouted(ctx, q, srv, &c); err != nil {
		return err
	}
	return clientIsUnique(ctx, q, c)
}

func (s *Service) secretUntil(now time.Time) time.Time {
	if s.config.SecretTTL == 0 {
		return now.AddDate(100, 0, 0)
	}
	return now.Add(s.config.SecretTTL)
}

func (s *Service) newMaterial(ctx context.Context, srv SSLServer, c SSLClient, in NewClient) (m material, err error) {
	m.password = password.Generate(16)
	if m.hash, err = s.hasher.Hash(ctx, m.password); err != nil {
		return material{}, err
	}
	if m.sealedPassword, err = s.seal(ctx, c, "password_sealed", []byte(m.password)); err != nil {
		return material{}, err
	}
	public, sealedKey, err := s.newClientKey(ctx, c, in.CSR)
	if err != nil {
		return material{}, err
	}
	m.sealedKey = sealedKey
	if m.certificate, err = s.issueClient(ctx, srv, c.Name, public, s.clock.Now()); err != nil {
		return material{}, err
	}
	if srv.TwoFactor && !c.TwoFactorExempt && !in.Enrols {
		m.sealedTOTP, err = s.seal(ctx, c, "totp_sealed", []byte(newToken(c)))
	}
	return m, err
}

func (s *Service) newClientKey(ctx context.Context, c SSLClient, csr []byte) (crypto.PublicKey, []byte, error) {
	if len(csr) > 0 {
		r, err := parseRequest(csr)
		if err != nil {
			return nil, nil, err
		}
		return r.PublicKey, nil, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a client key: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding a client key: %w", err)
	}
	sealed, err := s.seal(ctx, c, "key_sealed", raw)
	return key.Public(), sealed, err
}

// minRate is the lowest limit, in bit/s.
const minRate = 64_000

// check holds a client's settings to its server and gateway.
func (c ClientSettings) check(g Gateway, srv SSLServer, now time.Time) error {
	if err := checkDescription(c.Description); err != nil {
		return err
	}
	top := int64(g.SSLBandwidth) * 1_000_000
	for _, r := range []int64{c.UpRate, c.DownRate} {
		if r != 0 && (r < minRate || r > top) {
			return ErrRate.With("low", minRate).With("top", top)
		}
	}
	if c.MaxSessions < 0 || c.MaxSessions > maxSessionsOfClient {
		return ErrSetting.With("setting", "max_sessions")
	}
	for name, n := range map[string]int64{"daily_quota_bytes": c.DailyQuota, "monthly_quota_bytes": c.MonthlyQuota} {
		if n < 0 || n > maxQuota {
			return ErrSetting.With("setting", name)
		}
	}
	if c.State != ClientEnabled && c.State != ClientDisabled {
		return ErrSetting.With("setting", "state")
	}
	if err := c.checkGroups(srv); err != nil {
		return err
	}
	return c.checkAddresses(srv)
}

// checkFixed holds a fixed address to the pool without the network's own, the
// gateway's and the broadcast address.
func checkFixed(pool netip.Prefix, a netip.Addr) error {
	if !pool.Contains(a) || a == pool.Addr() || a == pool.Addr().Next() || (a.Is4() && !pool.Contains(a.Next())) {
		return ErrFixedIP
	}
	return nil
}

// UpdateClient replaces the settings of a client. Rates and expiry change on live sessions
// without reconnecting; disabling ends them, and so does withdrawing an exemption
// from the code that the server asks for. version as in UpdateServer.
func (s *Service) UpdateClient(ctx context.Context, p account.Principal, client string, version int64, next ClientSettings) (SSLClient, error) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, version, c.Version); err != nil {
			return err
		}
		return s.updateClientTx(ctx, tx, p, c, next)
	})
	if err != nil {
		return SSLClient{}, err
	}
	return s.Client(ctx, p.Account, client)
}

func (s *Service) updateClientTx(ctx context.Context, tx *db.Tx, p account.Principal, c SSLClient, next ClientSettings) error {
	srv, err := serverByID(ctx, tx, c.Server)
	if err != nil {
		return err
	}
	g, err := gatewayByID(ctx, tx, c.Gateway)
	if err != nil {
		return err
	}
	if err := g.changeable(); err != nil {
		return err
	}
	if err := next.check(g, srv, s.clock.Now()); err != nil {
		return err
	}
	old := c.ClientSettings
	c.ClientSettings = next
	if err := s.checkRouted(ctx, tx, srv, &c); err != nil {
		return err
	}
	if err := clientIsUnique(ctx, tx, c); err != nil {
		return err
	}
	if err := updateClient(ctx, tx, c, s.clock.Now()); err != nil {
		return err
	}
	if old.Description != c.Description && s.corrections != nil {
		if err := s.corrections.CorrectedTx(ctx, tx, c.Subject, "vpn_client.description"); err != nil {
			return err
		}
	}
	if err := s.followClientTx(ctx, tx, srv, c, old); err != nil {
		return err
	}
	if _, err := s.fleet.ChangedTx(ctx, tx, c.Gateway); err != nil {
		return err
	}
	if c.State == ClientDisabled {
		if err := endLinksTx(ctx, tx, c.ID); err != nil {
			return err
		}
	}
	if c.State != old.State {
		kind := map[ClientState]ActKind{ClientDisabled: ActDisable, ClientEnabled: ActEnable}[c.State]
		if err := s.actTx(ctx, tx, p, c, kind, Reset{}); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, p, "vpn.client_changed", tellChanges(map[string]string{"client": c.ID}, old.told(), c.told()))
}

// followClientTx ends what sessions a client may not have any more by its new
// settings: all, the oldest, or all for an allowance that is used up already.
func (s *Service) followClientTx(ctx context.Context, tx *db.Tx, srv SSLServer, c SSLClient, old ClientSettings) error {
	if old.endsBy(c.ClientSettings, srv) {
		if err := s.endClientTx(ctx, tx, c, gwlink.ReasonAdministrator); err != nil {
			return err
		}
	}
	if srv.sessionsOf(c.MaxSessions) < srv.sessionsOf(old.MaxSessions) {
		if err := s.endSurplusTx(ctx, tx, srv, c.ID); err != nil {
			return err
		}
	}
	return s.holdToQuotaTx(ctx, tx, c)
}

// endsBy reports whether a change of settings ends the client's sessions: nobody
// lives on without an address, a group or a factor that holds now.
func (c ClientSettings) endsBy(next ClientSettings, srv SSLServer) bool {
	asked := srv.TwoFactor && c.TwoFactorExempt && !next.TwoFactorExempt
	return next.State == ClientDisabled || next.FixedIP != c.FixedIP || next.FixedIP6 != c.FixedIP6 || c.loses(next) || asked
}

// DeleteClient removes a client: its sessions end, its certificate is revoked
// and its secrets are destroyed.
func (s *Service) DeleteClient(ctx context.Context, p account.Principal, client string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, 0, c.Version); err != nil {
			return err
		}
		return s.deleteClientTx(ctx, tx, p, c)
	})
}

func (s *Service) deleteClientTx(ctx context.Context, tx *db.Tx, p account.Principal, c SSLClient) error {
	if err := s.endClientTx(ctx, tx, c, gwlink.ReasonRevoked); err != nil {
		return err
	}
	if err := s.dropClientTx(ctx, tx, c); err != nil {
		return err
	}
	if _, err := s.fleet.ChangedTx(ctx, tx, c.Gateway); err != nil {
		return err
	}
	return s.record(ctx, tx, p, "vpn.client_deleted", map[string]string{"client": c.ID})
}

// dropClientTx revokes and deletes; what is left of the client's user, the keys
// first of all, ends by an erasure that hears of it.
func (s *Service) dropClientTx(ctx context.Context, tx *db.Tx, c SSLClient) error {
	if err := forgetIssued(ctx, tx, c, s.clock.Now()); err != nil {
		return err
	}
	if err := buryTx(ctx, tx, c.ID, s.clock.Now()); err != nil {
		return err
	}
	for _, text := range []string{
		"DELETE FROM vpn_conversation WHERE client = $1", "DELETE FROM vpn_attempt WHERE client = $1",
		"DELETE FROM vpn_ban_share WHERE client = $1", "DELETE FROM vpn_recovery WHERE client = $1", "DELETE FROM vpn_enrolment WHERE client = $1", "DELETE FROM vpn_bundle_link WHERE client = $1", "DELETE FROM vpn_device WHERE client = $1",
		"DELETE FROM vpn_user_session WHERE client = $1", "DELETE FROM vpn_act WHERE client = $1", "UPDATE vpn_block SET client = '' WHERE client = $1", "DELETE FROM vpn_client WHERE id = $1",
	} {
		if _, err := tx.Exec(ctx, text, c.ID); err != nil {
			return err
		}
	}
	if err := s.fleet.ForgetUsageTx(ctx, tx, c.ID); err != nil {
		return err
	}
	return s.queue.PublishTx(ctx, tx, TopicClientGone, ClientGone{c.ID, c.Subject})
}

// ResetPassword gives a client a new random password, which Secret returns for
// a time, for a reason that its user reads (clause TY-2.3). Its sessions and its
// links end; its code seed stays.
func (s *Service) ResetPassword(ctx context.Context, p account.Principal, client string, why Reset) (SSLClient, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return SSLClient{}, err
	}
	if err := why.check(); err != nil {
		return SSLClient{}, err
	}
	pw := password.Generate(16)
	sealed, err := s.seal(ctx, c, "password_sealed", []byte(pw))
	if err != nil {
		return SSLClient{}, err
	}
	return s.replacePassword(ctx, p, c, why, material{password: pw, sealedPassword: sealed}, s.secretUntil(s.clock.Now()))
}

// SetPassword gives a client a password that a person chose; it can never be
// read again. The rest is as with ResetPassword.
func (s *Service) SetPassword(ctx context.Context, p account.Principal, client, chosen string, why Reset) (SSLClient, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return SSLClient{}, err
	}
	if err := why.check(); err != nil {
		return SSLClient{}, err
	}
	if err := checkPassword(chosen, c.Name); err != nil {
		return SSLClient{}, err
	}
	return s.replacePassword(ctx, p, c, why, material{password: chosen}, c.Readable.Password)
}

// What a chosen password must be.
const (
	passwordShortest, passwordLongest = 8, 64
	passwordClasses                   = 3
)

func checkPassword(chosen, name string) error {
	n := len([]rune(chosen))
	if n < passwordShortest || n > passwordLongest || password.Classes(chosen) < passwordClasses || strings.Contains(strings.ToLower(chosen), strings.ToLower(name)) {
		return ErrPasswordWeak
	}
	return nil
}

func (s *Service) replacePassword(ctx context.Context, p account.Principal, c SSLClient, why Reset, m material, until time.Time) (SSLClient, error) {
	hash, err := s.hasher.Hash(ctx, m.password)
	if err != nil {
		return SSLClient{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		err := tx.ExecOne(ctx, ErrClientNotFound, `UPDATE vpn_client SET password_hash = $1, password_sealed = $2, password_until = $3,
			version = version + 1, updated_at = $4 WHERE id = $5 AND account = $6`,
			hash, blob(m.sealedPassword), db.Micros(until), db.Micros(s.clock.Now()), c.ID, string(p.Account))
		if err != nil {
			return err
		}
		if err := endLinksTx(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := endUserSessionsTx(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := s.endClientTx(ctx, tx, c, gwlink.ReasonRevoked); err != nil {
			return err
		}
		if err := s.resetTx(ctx, tx, p, c, ActPassword, why); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.client_password", map[string]string{"client": c.ID})
	})
	if err != nil {
		return SSLClient{}, err
	}
	return s.Client(ctx, p.Account, c.ID)
}
