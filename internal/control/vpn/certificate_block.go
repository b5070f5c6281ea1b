package vpn

import (
	"bytes"
	"context"
	"crypto/x509"
	"math/big"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// maxBlocks is how many certificates one SSL server may refuse singly: more is
// work for a CA of its own.
const maxBlocks = 1000

// Block is a certificate of a CA of the customer's own that a server refuses:
// the CA cannot be asked to revoke it, or its lists are not read here. It is a
// client's, or that of a CA between clients and a trusted one, with which all go
// that are verified by it. It is known by issuer and serial number (RFC 5280
// section 4.1.2.2). One of the built-in CA is revoked by RevokeCertificate instead.
type Block struct {
	ID        string // cblk-...
	Server    string
	Account   account.ID
	Issuer    string    // gwlink.NameHash
	Serial    string    // upper-case hex
	CAName    string    // of the issuer, RFC 2253
	Client    string    // SSL client that it names, where that is known
	NotAfter  time.Time // zero where only the serial is known
	CreatedAt time.Time
}

// NewBlock names the certificate: itself, or by its serial and the CA that
// issued it and no other, for when nobody has it at hand any more. That CA is an
// uploaded one, or given by its own certificate beside the serial.
type NewBlock struct {
	Server      string
	Certificate []byte // PEM; with Serial: of the CA
	CA          string // cert-... of a client-ca
	Serial      string // hex; colons and blanks between do not matter
}

// BlockCertificate refuses a certificate at a server: the sessions that it
// opened end within two seconds, and it opens none from now on. Doing it twice
// changes nothing.
func (s *Service) BlockCertificate(ctx context.Context, p account.Principal, in NewBlock) (b Block, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		srv, err := serverFor(ctx, tx, p.Account, in.Server)
		if err != nil {
			return err
		}
		if b, err = s.blockOf(ctx, tx, srv, in); err != nil {
			return err
		}
		made, err := db.Get(ctx, tx, ErrBlockNotFound, scanBlock, blockColumns+" WHERE server = $1 AND issuer = $2 AND serial = $3", srv.ID, b.Issuer, b.Serial)
		if !errs.IsNotFound(err) {
			b = made
			return err
		}
		if err := insertBlock(ctx, tx, b); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, srv.Gateway); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.certificate_blocked", map[string]string{"server": srv.ID, "block": b.ID})
	})
	return b, err
}

// blockOf reads which certificate is meant.
func (s *Service) blockOf(ctx context.Context, tx *db.Tx, srv SSLServer, in NewBlock) (Block, error) {
	b := Block{ID: id.Resource("cblk"), Server: srv.ID, Account: srv.Account, CreatedAt: s.clock.Now()}
	if len(in.Certificate) > 0 {
		return b, b.readCertificate(ctx, tx, srv, in)
	}
	ca, err := certificateFor(ctx, tx, srv.Account, in.CA)
	if errs.IsNotFound(err) || err == nil && ca.Kind != CertificateClientCA {
		return Block{}, ErrCertificateUse.With("kind", string(CertificateClientCA))
	}
	if err != nil {
		return Block{}, err
	}
	issuer, err := x509.ParseCertificate(ca.Chain[0])
	if err != nil {
		return Block{}, err
	}
	return b, b.issuedBy(issuer, in.Serial)
}

func (b *Block) issuedBy(ca *x509.Certificate, serial string) (err error) {
	b.Issuer, b.CAName = gwlink.NameHash(ca.RawSubject), ca.Subject.String()
	b.Serial, err = parseSerial(serial)
	return err
}

func (b *Block) readCertificate(ctx context.Context, tx *db.Tx, srv SSLServer, in NewBlock) error {
	all, err := certificatesIn(in.Certificate)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return ErrCertificatePEM
	}
	one := all[0]
	own, err := x509.ParseCertificate(srv.CA)
	switch {
	case err != nil:
		return err
	case one.CheckSignatureFrom(own) == nil:
		return ErrBlockForeign
	case in.Serial != "" && !one.IsCA:
		return ErrCertificateNoCA
	case in.Serial != "":
		return b.issuedBy(one, in.Serial)
	case bytes.Equal(one.RawIssuer, one.RawSubject):
		return ErrBlockForeign // a root is trusted or not
	}
	id := gwlink.IDOf(one)
	b.Issuer, b.Serial, b.CAName, b.NotAfter = id.Issuer, id.Serial, one.Issuer.String(), one.NotAfter
	if one.IsCA {
		return nil
	}
	c, err := clientByName(ctx, tx, srv.ID, srv.identity(one))
	if errs.IsNotFound(err) {
		return nil
	}
	b.Client = c.ID
	return err
}

// parseSerial reads a serial number as programs print it.
func parseSerial(text string) (string, error) {
	text = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "0x")
	n, ok := new(big.Int).SetString(strings.NewReplacer(":", "", " ", "", "-", "").Replace(text), 16)
	if !ok || n.Sign() <= 0 || n.BitLen() > 160 || strings.HasPrefix(text, "-") { // RFC 5280 section 4.1.2.2
		return "", ErrBlockSerial
	}
	return serialText(n), nil
}

// Blocks lists what a server refuses, oldest first.
func (s *Service) Blocks(ctx context.Context, owner account.ID, server string) ([]Block, error) {
	if _, err := serverFor(ctx, s.db, owner, server); err != nil {
		return nil, err
	}
	return db.Select(ctx, s.db, scanBlock, blockColumns+" WHERE server = $1 ORDER BY created_at, id", server)
}

// UnblockCertificate lets a certificate in again. The sessions that it opened
// before stay ended.
func (s *Service) UnblockCertificate(ctx context.Context, p account.Principal, server, block string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		srv, err := serverFor(ctx, tx, p.Account, server)
		if err != nil {
			return err
		}
		if err := tx.ExecOne(ctx, ErrBlockNotFound, "DELETE FROM vpn_block WHERE id = $1 AND server = $2", block, srv.ID); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, srv.Gateway); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.certificate_unblocked", map[string]string{"server": srv.ID, "block": block})
	})
}

const blockColumns = "SELECT id, server, account, issuer, serial, ca_name, client, not_after, created_at FROM vpn_block"

func scanBlock(r db.Row) (b Block, err error) {
	var end, created int64
	err = r.Scan(&b.ID, &b.Server, &b.Account, &b.Issuer, &b.Serial, &b.CAName, &b.Client, &end, &created)
	b.NotAfter, b.CreatedAt = db.FromMicros(end), db.FromMicros(created)
	return b, err
}

func insertBlock(ctx context.Context, tx *db.Tx, b Block) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM vpn_block WHERE server = $1", b.Server)
	if err != nil {
		return err
	}
	if n >= maxBlocks {
		return ErrQuota.With("limit", maxBlocks)
	}
	return tx.ExecOne(ctx, db.ErrRetry, `INSERT INTO vpn_block (id, server, account, issuer, serial, ca_name, client, not_after, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		b.ID, b.Server, string(b.Account), b.Issuer, b.Serial, b.CAName, b.Client, db.Micros(b.NotAfter), db.Micros(b.CreatedAt))
}

// blocked is what a server's node has to refuse.
func blocked(ctx context.Context, q db.Q, server string, now time.Time) ([]gwlink.CertificateID, error) {
	return db.Select(ctx, q, func(r db.Row) (c gwlink.CertificateID, err error) { return c, r.Scan(&c.Issuer, &c.Serial) },
		"SELECT issuer, serial FROM vpn_block WHERE server = $1 AND (not_after = 0 OR not_after > $2) ORDER BY issuer, serial", server, db.Micros(now))
}

// isBlocked reports whether a certificate, or one that it is verified by, is refused.
func isBlocked(ctx context.Context, q db.Q, server string, path []gwlink.CertificateID) (bool, error) {
	for _, c := range path {
		n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_block WHERE server = $1 AND issuer = $2 AND serial = $3",
			server, c.Issuer, c.Serial)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}
