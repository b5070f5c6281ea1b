package vpn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// CertificateKind says what a certificate is for (section 4.9).
type CertificateKind string

// Kinds of certificates. The three of commercial cryptography are known by
// name only: this build refuses them with ErrCertificateGM.
const (
	CertificateServer   CertificateKind = "server"    // shown by an SSL server, or by our side of an IPsec connection
	CertificateClientCA CertificateKind = "client-ca" // trusted for the SSL clients of a server
	CertificatePeerCA   CertificateKind = "peer-ca"   // trusted for peers of IPsec connections
	CertificateClient   CertificateKind = "client"    // issued to an SSL client; never uploaded

	certificateGMSign CertificateKind = "gm-sign"
	certificateGMEnc  CertificateKind = "gm-enc"
	certificateGMCA   CertificateKind = "gm-ca"
)

// CertificateState is derived from the dates.
type CertificateState string

// States of a certificate.
const (
	CertificateValid    CertificateState = "valid"
	CertificateExpiring CertificateState = "expiring" // 30 days or less are left
	CertificateExpired  CertificateState = "expired"
	CertificateRevoked  CertificateState = "revoked"
)

// expiringBefore is how long before its end a certificate is called expiring.
const expiringBefore = 30 * 24 * time.Hour

// CertificateQuota is how many certificates an account may upload (section 8.4).
const CertificateQuota = 100

// Certificate is a certificate of an account: uploaded, or issued to an SSL
// client. A private key of an uploaded one is sealed and never read back by
// people.
type Certificate struct {
	ID          string // cert-...
	Account     account.ID
	Kind        CertificateKind
	Name        string   // of an issued one: that of its client
	Description string   // of an uploaded one
	Server      string   // SSL server whose CA issued it; empty if uploaded
	Client      string   // SSL client that it was issued to; empty if uploaded, or once the client is deleted
	Serial      string   // upper-case hex
	Chain       [][]byte // DER, leaf first; empty once its client is deleted
	HasKey      bool     // a private key is kept, sealed
	NotAfter    time.Time
	RetireAt    time.Time // when a renewed one is revoked; zero: not renewed
	RevokedAt   time.Time
	UsedBy      []string // ids of SSL servers, IPsec connections and SSL clients
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// CertificateFacts is what the certificate itself says.
type CertificateFacts struct {
	Subject, Issuer string // RFC 2253
	Names           []string
	NotBefore       time.Time
	Fingerprint     string // SHA-256, lower-case hex
	Key             string // "RSA 2048", "ECDSA P-256", "Ed25519"
}

// State tells how a certificate is at a time.
func (c Certificate) State(now time.Time) CertificateState {
	switch {
	case !c.RevokedAt.IsZero():
		return CertificateRevoked
	case !now.Before(c.NotAfter):
		return CertificateExpired
	case c.NotAfter.Sub(now) <= expiringBefore:
		return CertificateExpiring
	}
	return CertificateValid
}

// Facts reads the certificate; all is empty once its client is deleted.
func (c Certificate) Facts() CertificateFacts {
	if len(c.Chain) == 0 {
		return CertificateFacts{}
	}
	leaf, err := x509.ParseCertificate(c.Chain[0])
	if err != nil {
		return CertificateFacts{}
	}
	sum := sha256.Sum256(leaf.Raw)
	f := CertificateFacts{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), NotBefore: leaf.NotBefore, Names: leaf.DNSNames,
		Fingerprint: hex.EncodeToString(sum[:]), Key: keyText(leaf.PublicKey),
	}
	for _, ip := range leaf.IPAddresses {
		f.Names = append(f.Names, ip.String())
	}
	return f
}

func keyText(k crypto.PublicKey) string {
	switch k := k.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return ""
}

// CertificateFilter chooses certificates of an account.
type CertificateFilter struct {
	Kind   CertificateKind // empty = all
	Client string          // empty = all
	Page
}

// Certificates lists an account's certificates, with what uses them.
func (s *Service) Certificates(ctx context.Context, owner account.ID, f CertificateFilter) (all []Certificate, next string, err error) {
	all, err = certificatesFor(ctx, s.db, owner, f)
	if err != nil {
		return nil, "", err
	}
	all, next = cut(all, f.limit(), func(c Certificate) string { return c.ID })
	return all, next, s.fillUses(ctx, owner, all)
}

// Certificate returns one certificate of an account.
func (s *Service) Certificate(ctx context.Context, owner account.ID, certificate string) (Certificate, error) {
	c, err := certificateFor(ctx, s.db, owner, certificate)
	if err != nil {
		return Certificate{}, err
	}
	one := []Certificate{c}
	err = s.fillUses(ctx, owner, one)
	return one[0], err
}

func (s *Service) fillUses(ctx context.Context, owner account.ID, all []Certificate) error {
	uses, err := usesOfAccount(ctx, s.db, owner)
	if err != nil {
		return err
	}
	for i, c := range all {
		all[i].UsedBy = uses[c.ID]
		if c.Client != "" && c.RevokedAt.IsZero() {
			all[i].UsedBy = []string{c.Client}
		}
	}
	return nil
}

// CertificateChange is what a customer changes of an uploaded certificate; what
// is nil stays.
type CertificateChange struct{ Name, Description *string }

// UpdateCertificate gives an uploaded certificate another name or description.
// version as in UpdateServer. ErrCertificateIssued for one that was issued: its
// name is its client's.
func (s *Service) UpdateCertificate(ctx context.Context, p account.Principal, certificate string, version int64, change CertificateChange) (Certificate, error) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := certificateFor(ctx, tx, p.Account, certificate)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, version, c.Version); err != nil {
			return err
		}
		if c.Kind == CertificateClient {
			return ErrCertificateIssued
		}
		was := c.told()
		c.Name, c.Description = given(change.Name, c.Name), given(change.Description, c.Description)
		if err := checkName(c.Name); err != nil {
			return err
		}
		if err := checkDescription(c.Description); err != nil {
			return err
		}
		if err := certificateNameFree(ctx, tx, c); err != nil {
			return err
		}
		err = tx.ExecOne(ctx, db.ErrRetry, "UPDATE vpn_certificate SET name = $1, version = version + 1, updated_at = $2, description = $5 WHERE id = $3 AND version = $4",
			c.Name, db.Micros(s.clock.Now()), c.ID, c.Version, c.Description)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.certificate_changed", tellChanges(map[string]string{"certificate": c.ID}, was, c.told()))
	})
	if err != nil {
		return Certificate{}, err
	}
	return s.Certificate(ctx, p.Account, certificate)
}

// DeleteCertificate removes an uploaded certificate and destroys the key that
// sealed its private key. ErrCertificateInUse tells what uses it.
func (s *Service) DeleteCertificate(ctx context.Context, p account.Principal, certificate string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := certificateFor(ctx, tx, p.Account, certificate)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, 0, c.Version); err != nil {
			return err
		}
		if c.Kind == CertificateClient {
			return ErrCertificateIssued
		}
		users, err := usersOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return ErrCertificateInUse.With("users", strings.Join(users, ", "))
		}
		if _, err := tx.Exec(ctx, "DELETE FROM vpn_certificate WHERE id = $1", c.ID); err != nil {
			return err
		}
		if c.HasKey {
			if err := s.queue.EnqueueTx(ctx, tx, job.Job{Kind: "vpn.forget_key", Payload: forgetKey{keyName(c.ID)}}); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, p, "vpn.certificate_deleted", map[string]string{"certificate": c.ID})
	})
}

type forgetKey struct{ Name string }

func (s *Service) onForgetKey(ctx context.Context, f forgetKey) error {
	return s.system.DestroySystem(ctx, f.Name)
}

// keyName binds a sealed private key to its certificate.
func keyName(certificate string) string { return "vpn_certificate.key/" + certificate }

// Download is a certificate as a file. It never holds a private key.
type Download struct {
	Name string // file name
	Type string // media type
	Data []byte
}

// Forms of a download.
const (
	FormPEM = "pem" // chain, leaf first
	FormDER = "der" // the certificate alone
	FormZIP = "zip" // CA, certificate and chain
)

// DownloadCertificate returns a certificate in one of the forms.
// ErrCertificateErased once its client is deleted.
func (s *Service) DownloadCertificate(ctx context.Context, owner account.ID, certificate, form string) (Download, error) {
	c, err := certificateFor(ctx, s.db, owner, certificate)
	if err != nil {
		return Download{}, err
	}
	chain := c.Chain
	if len(chain) == 0 {
		return Download{}, ErrCertificateErased
	}
	if c.Kind == CertificateClient {
		srv, err := serverByID(ctx, s.db, c.Server)
		if err != nil {
			return Download{}, err
		}
		chain = append(chain, srv.CA)
	}
	switch form {
	case FormDER:
		return Download{c.Name + ".cer", "application/pkix-cert", chain[0]}, nil
	case FormZIP:
		packed, err := zipped(filesOf(chain))
		return Download{c.Name + ".zip", "application/zip", packed}, err
	}
	return Download{c.Name + ".pem", "application/x-pem-file", pemOfChain(chain)}, nil
}

// filesOf is a chain as files: the certificate, what is between, and the CA at
// the end if the chain has one.
func filesOf(chain [][]byte) []entry {
	files := []entry{{"certificate.pem", pemOf("CERTIFICATE", chain[0])}}
	rest := chain[1:]
	if n := len(rest); n > 0 && selfIssued(rest[n-1]) {
		files = append(files, entry{"ca.pem", pemOf("CERTIFICATE", rest[n-1])})
	}
	if len(rest) > 0 {
		files = append(files, entry{"chain.pem", pemOfChain(rest)})
	}
	return files
}

func pemOfChain(chain [][]byte) []byte {
	var all [][]byte
	for _, der := range chain {
		all = append(all, pemOf("CERTIFICATE", der))
	}
	return bytes.Join(all, nil)
}

// selfIssued tells whether a certificate is the end of a chain.
func selfIssued(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	return err == nil && bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(c) == nil
}

// usableTx returns a certificate of an account for a use: of the kind, in its
// time. ErrCertificateUse otherwise, also for another account's.
func (s *Service) usableTx(ctx context.Context, tx *db.Tx, owner account.ID, certificate string, kind CertificateKind) (Certificate, error) {
	c, err := certificateFor(ctx, tx, owner, certificate)
	if errs.IsNotFound(err) || err == nil && c.Kind != kind {
		return Certificate{}, ErrCertificateUse.With("kind", string(kind))
	}
	if err == nil && c.State(s.clock.Now()) == CertificateExpired {
		err = ErrCertificateEnded
	}
	return c, err
}
