package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

var now = time.Now().UTC().Truncate(time.Second)

const host = "vpn.example.org"

type authority struct {
	*x509.Certificate
	key crypto.Signer
}

func issue(t *testing.T, c x509.Certificate, by *authority) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	}
	parent, signer := &c, crypto.Signer(key)
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{out, key}
}

func ca(t *testing.T, c x509.Certificate) authority {
	t.Helper()
	c.Subject, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = pkix.Name{CommonName: "Example CA"}, true, true, x509.KeyUsageCertSign
	return issue(t, c, nil)
}

func server() x509.Certificate {
	return x509.Certificate{DNSNames: []string{host}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

func noSystem() (*x509.CertPool, error) { return x509.NewCertPool(), nil }

func TestAServerThatIsNotTheProfilesIsRefused(t *testing.T) {
	t.Parallel()
	root := ca(t, x509.Certificate{})
	old := ca(t, x509.Certificate{NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)})
	good := issue(t, server(), &root)
	self := issue(t, server(), nil)
	dated := func(from, until time.Duration) authority {
		c := server()
		c.NotBefore, c.NotAfter = now.Add(from), now.Add(until)
		return issue(t, c, &root)
	}
	named := func(name string) authority {
		c := server()
		c.DNSNames = []string{name}
		return issue(t, c, &root)
	}
	mail := server()
	mail.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	trusted := []*x509.Certificate{root.Certificate}
	cases := []struct {
		name  string
		a     Anchors
		chain []*x509.Certificate
		want  error
	}{
		{"none", Anchors{CA: trusted}, nil, ErrNobody},
		{"signed by the profile's CA", Anchors{CA: trusted}, []*x509.Certificate{good.Certificate}, nil},
		{"signed by nobody known", Anchors{}, []*x509.Certificate{good.Certificate}, ErrIssuer},
		{"signed by itself", Anchors{CA: trusted}, []*x509.Certificate{self.Certificate}, ErrIssuer},
		{"signed by itself, pinned", Anchors{Pins: []string{Pin(self.Certificate)}}, []*x509.Certificate{self.Certificate}, nil},
		{"of another name", Anchors{CA: trusted}, []*x509.Certificate{named("evil.example.org").Certificate}, ErrName},
		{"a wildcard of another name", Anchors{CA: trusted}, []*x509.Certificate{named("*.example.com").Certificate}, ErrName},
		{"ended", Anchors{CA: trusted}, []*x509.Certificate{dated(-2*time.Hour, -time.Hour).Certificate}, ErrExpired},
		{"not begun", Anchors{CA: trusted}, []*x509.Certificate{dated(time.Hour, 2*time.Hour).Certificate}, ErrNotYet},
		{"its CA ended", Anchors{CA: []*x509.Certificate{old.Certificate}}, []*x509.Certificate{issue(t, server(), &old).Certificate}, ErrExpired},
		{"for mail", Anchors{CA: trusted}, []*x509.Certificate{issue(t, mail, &root).Certificate}, ErrPurpose},
		{"another key than the pin", Anchors{CA: trusted, Pins: []string{Pin(self.Certificate)}}, []*x509.Certificate{good.Certificate}, ErrPin},
		{"the pin is of a certificate that is sent along", Anchors{Pins: []string{Pin(root.Certificate)}}, []*x509.Certificate{good.Certificate, root.Certificate}, ErrPin},
		{"a pin without its prefix", Anchors{Pins: []string{strings.TrimPrefix(Pin(good.Certificate), "pin-sha256:")}}, []*x509.Certificate{good.Certificate}, nil},
		{"a pin that is none", Anchors{CA: trusted, Pins: []string{""}}, []*x509.Certificate{good.Certificate}, ErrPin},
		{"the second of two pins", Anchors{Pins: []string{Pin(self.Certificate), Pin(good.Certificate)}}, []*x509.Certificate{good.Certificate}, nil},
		{"no list of authorities", Anchors{System: func() (*x509.CertPool, error) { return nil, errors.New("damaged") }}, []*x509.Certificate{good.Certificate}, ErrDamaged},
		{"no list of authorities, and the profile's", Anchors{CA: trusted, System: func() (*x509.CertPool, error) { return nil, errors.New("damaged") }}, []*x509.Certificate{good.Certificate}, nil},
	}
	ended := dated(-2*time.Hour, -time.Hour)
	cases = append(cases, struct {
		name  string
		a     Anchors
		chain []*x509.Certificate
		want  error
	}{"a pin is no excuse for a date", Anchors{Pins: []string{Pin(ended.Certificate)}}, []*x509.Certificate{ended.Certificate}, ErrExpired})
	for _, c := range cases {
		c.a.Clock = clock.NewFake(now)
		if c.a.System == nil {
			c.a.System = noSystem
		}
		err := c.a.Verify(host, c.chain)
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			continue
		}
		for _, lang := range i18n.Languages {
			e := Refused(err)
			if e == nil {
				t.Fatalf("%s: %v is no refusal", c.name, err)
			}
			reads := i18n.Text(lang, e.Code, e.Params) + " " + i18n.Text(lang, Remedy(e.Code), e.Params)
			if strings.Contains(reads, "trust.") || strings.ContainsAny(reads, "{}") {
				t.Errorf("%s: a person reads %q", c.name, reads)
			}
		}
	}
}

func TestWhatAStrangersCertificateSaysIsCleaned(t *testing.T) {
	t.Parallel()
	c := server()
	c.Subject = pkix.Name{CommonName: "\x1b[2Jok\u202e" + strings.Repeat("x", 500)}
	got := issuer(issue(t, c, nil).Certificate)
	if strings.ContainsAny(got, "\x1b\u202e") || len([]rune(got)) > maxShown+1 {
		t.Errorf("got %q", got)
	}
}

// listening serves a certificate on this machine.
func listening(t *testing.T, c authority) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{c.Raw}, PrivateKey: c.key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = conn.(*tls.Conn).HandshakeContext(t.Context())
				_ = conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// TestAStrangerIsRefusedWithWhatItShowed: a person who compares the pin sees that of
// the very handshake that failed.
func TestAStrangerIsRefusedWithWhatItShowed(t *testing.T) {
	t.Parallel()
	c := issue(t, server(), nil)
	conn, err := tls.Dial("tcp", listening(t, c), guarded(Anchors{System: noSystem}))
	if err == nil {
		_ = conn.Close()
	}
	var got *StrangerError
	if !errors.As(err, &got) || !errors.Is(err, ErrIssuer) || got.Pin != Pin(c.Certificate) || got.Names != host || !got.Until.Equal(c.NotAfter) {
		t.Errorf("got %+v of %v", got, err)
	}
}

func guarded(a Anchors) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	a.Guard(c, host)
	return c
}

// TestAHandshakeIsHeldToTheAnchors shows that the configuration uses them.
func TestAHandshakeIsHeldToTheAnchors(t *testing.T) {
	t.Parallel()
	c := issue(t, server(), nil)
	address := listening(t, c)
	for name, pins := range map[string][]string{"pinned": {Pin(c.Certificate)}, "not pinned": nil} {
		a := Anchors{Pins: pins, System: noSystem, Clock: clock.System{}}
		conn, err := tls.Dial("tcp", address, guarded(a))
		if (err == nil) != (pins != nil) {
			t.Errorf("%s: got %v", name, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
