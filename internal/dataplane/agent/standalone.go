package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// Users is the file of a stand-alone gateway's logins.
type Users struct {
	Users []User `json:"users"`
}

// User is one login of a stand-alone gateway.
type User struct {
	Name        string `json:"name"`
	BcryptHash  string `json:"bcrypt"` // of the password
	Client      string `json:"client"` // SSL client id; default the name
	MaxSessions int    `json:"max_sessions,omitempty"`
}

const (
	standaloneKey   = "standalone"
	standaloneGrant = 24 * time.Hour
	watchEvery      = 200 * time.Millisecond
)

// standalone stands in for control: a file for the desired state, a file for
// logins, certificates of its own making, and no reports.
type standalone struct {
	cfg      Config
	key      ed25519.PrivateKey
	ca       *x509.Certificate
	caKey    *ecdsa.PrivateKey
	lastRead os.FileInfo
}

func newStandalone(cfg Config, st *store) (*standalone, error) {
	var seed []byte
	err := st.load("standalone", &seed)
	if errors.Is(err, errNoState) {
		seed = make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(seed) // never fails
		err = st.save("standalone", seed)
	}
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("key of the stand-alone gateway: %w", err)
	}
	s := &standalone{cfg: cfg, key: ed25519.NewKeyFromSeed(seed)}
	return s, s.makeCA()
}

func (s *standalone) makeCA() (err error) {
	if s.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "stand-alone gateway"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, s.caKey.Public(), s.caKey)
	if err != nil {
		return err
	}
	s.ca, err = x509.ParseCertificate(der)
	return err
}

func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return new(big.Int).SetBytes(b)
}

// desired waits until the file changes. A generation in it is not needed.
func (s *standalone) desired(ctx context.Context, _ uint64) (gwlink.Desired, error) {
	for {
		info, err := os.Stat(s.cfg.DesiredFile)
		if err != nil {
			return gwlink.Desired{}, fmt.Errorf("desired file: %w", err)
		}
		if s.lastRead == nil || !info.ModTime().Equal(s.lastRead.ModTime()) || info.Size() != s.lastRead.Size() {
			d, err := s.read()
			if err == nil {
				s.lastRead = info
			}
			return d, err
		}
		sleep(ctx, watchEvery)
		if err := ctx.Err(); err != nil {
			return gwlink.Desired{}, err
		}
	}
}

func (s *standalone) read() (gwlink.Desired, error) {
	var d gwlink.Desired
	b, err := os.ReadFile(s.cfg.DesiredFile)
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		return d, fmt.Errorf("desired file: %w", err)
	}
	public, _ := s.key.Public().(ed25519.PublicKey)
	d.GrantKeys = append(d.GrantKeys, gwlink.GrantKey{ID: standaloneKey, Public: public})
	return d, nil
}

func (s *standalone) report(context.Context, gwlink.Report) error { return nil }

// deliverKey refuses: the desired file of a stand-alone gateway holds no keys.
func (s *standalone) deliverKey(context.Context, gwlink.KeyRequest) (gwlink.KeyAnswer, error) {
	return gwlink.KeyAnswer{}, errors.New("a stand-alone gateway has no uploaded certificates")
}

// certificate signs the request for the names in it.
func (s *standalone) certificate(_ context.Context, r gwlink.CertificateRequest) ([][]byte, error) {
	csr, err := x509.ParseCertificateRequest(r.CSR)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("certificate request of %s: %w", r.Server, err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: csr.Subject, DNSNames: csr.DNSNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, s.ca, csr.PublicKey, s.caKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", r.Server, err)
	}
	return [][]byte{der, s.ca.Raw}, nil
}

// Login implements sslvpn.Authenticator with one form for name and password.
func (s *standalone) Login(_ context.Context, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	if r.Conversation == "" {
		return loginForm(""), nil
	}
	u, err := s.check(r.Fields["username"], r.Fields["password"])
	if errors.Is(err, errLogin) {
		return loginForm("Login failed."), nil
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	now := time.Now()
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	grant, err := gwlink.SignGrant(standaloneKey, s.key, gwlink.Grant{
		Session: "ses_" + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(id),
		Gateway: r.Gateway, Server: r.Server, Client: u.Client, MaxSessions: max(u.MaxSessions, 1),
		NotBefore: now, NotAfter: now.Add(standaloneGrant),
	})
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted, Grant: grant}, err
}

func loginForm(problem string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: "standalone", Form: &gwlink.Form{
		ID: "main", Message: "Please enter your name and password.", Error: problem,
		Fields: []gwlink.Field{
			{Name: "username", Label: "Username:", Kind: "text"},
			{Name: "password", Label: "Password:", Kind: "password"},
		},
	}}
}

var errLogin = errors.New("name or password is wrong")

// unknownUser is compared with when there is no such user, so that both
// failures take as long.
const unknownUser = "$2a$10$8DkC4ywtJLyOVfRQJU73xO5xXTrvjqf/yiAVT4cKjk4U3gnbpeyxu"

func (s *standalone) check(name, password string) (User, error) {
	var all Users
	b, err := os.ReadFile(s.cfg.UsersFile)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return User{}, fmt.Errorf("users file: %w", err)
	}
	found := User{BcryptHash: unknownUser}
	for _, u := range all.Users {
		if u.Name == name {
			found = u
		}
	}
	if bcrypt.CompareHashAndPassword([]byte(found.BcryptHash), []byte(password)) != nil || found.Name == "" {
		return User{}, errLogin
	}
	if found.Client == "" {
		found.Client = found.Name
	}
	return found, nil
}
